"""The tour runs to its end, and shows what it runs."""

from __future__ import annotations

import io
import re

import pytest

from aerospike_py import LocalServer, tour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(out: io.StringIO, count: int = 50) -> str:
    with LocalServer() as server:
        tour.Tour(server, out, count).run()
    return out.getvalue()


def test_every_statement_is_shown_with_its_result():
    text = told(io.StringIO())
    for heading, _, _ in tour.CHAPTERS:
        assert f"  {heading}\n" in text
    assert "{'name': 'Countess Ada Lovelace', 'born': 1816," in text
    assert "RecordNotFound: " in text
    assert "put  50 records in " in text
    assert "\x1b" not in text and "\r" not in text
    assert max(map(len, text.splitlines())) < 100


def test_a_terminal_gets_colours_and_a_bar(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    text = told(Terminal())
    assert "\x1b[1m" in text and "━" in text and "50 of 50" in text
    assert "\x1b[3" not in re.sub(r"\x1b\[\d+(;\d+)?m", "", text)


def test_colours_can_be_declined(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1m" not in told(Terminal())


def test_a_statement_that_should_fail_and_does_not_ends_the_tour(monkeypatch):
    monkeypatch.setattr(tour, "CHAPTERS", (("One", "", ("! 1 + 1",)),))
    with pytest.raises(RuntimeError, match=r"should have failed: 1 \+ 1"):
        told(io.StringIO())


@pytest.mark.parametrize("value, text", [
    ({"a": 1}, "{'a': 1}"),
    (["x" * 40, "y" * 40], f"[\n    {'x' * 40!r},\n    {'y' * 40!r}]"),
])
def test_long_values_take_a_line_for_each_part(value, text):
    assert tour.shown(value) == text


def test_main_prints_how_to_go_on(capsys):
    assert tour.main(["--records", "20"]) == 0
    assert '"hosts": [("10.0.0.1", 3000)]' in capsys.readouterr().out
