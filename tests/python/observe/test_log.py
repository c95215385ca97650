"""Log lines: levels, handlers, and Python's own loggers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import aerospike_py
from aerospike_py import _aerospike, exception as e, official

Line = tuple[int, str, str, int, str]
LEVELS = {aerospike_py.LOG_LEVEL_ERROR: logging.ERROR, aerospike_py.LOG_LEVEL_WARN:
          logging.WARNING, aerospike_py.LOG_LEVEL_INFO: logging.INFO,
          aerospike_py.LOG_LEVEL_DEBUG: logging.DEBUG, aerospike_py.LOG_LEVEL_TRACE: 5}


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    """Those that the handler gets."""
    found: list[Line] = []
    aerospike_py.set_log_handler(lambda *line: found.append(line))
    yield found
    aerospike_py.set_log_handler(None)
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_ERROR)


def connect(make_client: Callable[..., Any]) -> None:
    make_client().close()
    _aerospike.flush_log()


def test_lines_have_five_parts(make_client: Callable[..., Any], lines: list[Line]) -> None:
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_TRACE)
    connect(make_client)
    assert lines
    for line in lines:
        assert [type(part) for part in line] == [int, str, str, int, str]


def test_levels_are_obeyed(make_client: Callable[..., Any], lines: list[Line]) -> None:
    for level in (aerospike_py.LOG_LEVEL_OFF, aerospike_py.LOG_LEVEL_ERROR):
        aerospike_py.set_log_level(level)
        connect(make_client)
        assert lines == []
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_INFO)  # the handler was kept
    connect(make_client)
    assert {line[0] for line in lines} <= {0, 1, 2}
    assert lines


def test_loggers_of_python_get_them(make_client: Callable[..., Any],
                                    caplog: pytest.LogCaptureFixture) -> None:
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_INFO)
    try:
        connect(make_client)
        assert any(r.name.startswith("aerospike_py.") for r in caplog.records)
    finally:
        aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_ERROR)


@pytest.mark.parametrize("level", list(LEVELS))
def test_all_loggers_get_the_level(level: int) -> None:
    try:
        assert aerospike_py.set_log_level(level) == 0
        for name in ("aerospike_py", "_aerospike", "aerospike_core", "aerospike"):
            assert logging.getLogger(name).level == LEVELS[level]
    finally:
        aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_ERROR)


@pytest.mark.parametrize("level", [5, -2, 99])
def test_levels_that_do_not_exist(level: int) -> None:
    with pytest.raises(ValueError, match="Invalid log level"):
        aerospike_py.set_log_level(level)
    try:
        assert official.set_log_level(level) == 0  # the official client takes any
    finally:
        aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_ERROR)


@pytest.mark.parametrize("level", [None, "1", 1.5, [], 68786586756785785745])
def test_levels_of_the_wrong_kind(level: Any) -> None:
    for module in (aerospike_py, official):
        with pytest.raises(e.ParamError):
            module.set_log_level(level)
    with pytest.raises(TypeError):
        official.set_log_level()  # type: ignore[call-arg]


def test_handlers_come_and_go(make_client: Callable[..., Any], lines: list[Line],
                              capsys: pytest.CaptureFixture[str]) -> None:
    aerospike_py.set_log_level(aerospike_py.LOG_LEVEL_INFO)
    assert aerospike_py.set_log_handler(None) == 0
    connect(make_client)
    assert lines == []
    assert aerospike_py.set_log_handler() == 0  # prints
    connect(make_client)
    assert capsys.readouterr().out.count("\n") >= 1
    assert aerospike_py.set_log_handler(log_handler=5) == 0  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        aerospike_py.set_log_handler(None, None)  # type: ignore[call-arg]
    assert aerospike_py.dropped_log_count() >= 0
