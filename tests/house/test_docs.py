"""Every Python example in the README and in docs/ runs, page by page, against a local server.

Blocks marked ``python`` of one page run one after the other in one namespace; in blocks marked
``pycon`` what is printed must be what stands there. A comment ``<!-- run: ... -->`` runs, too,
unseen by readers. The address ``127.0.0.1:3000`` of the text is the local server's here.
"""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import pytest

from aerospike_py import LocalServer, _config

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^( *)```(python|pycon)\n(.*?)^ *```$|^<!-- run:(.*?)-->$",
                   re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def blocks(page: Path) -> list[tuple[int, str, str]]:
    text = page.read_text()
    found = []
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        indent, kind, code, hidden = match.groups()
        if hidden is not None:
            found.append((line, "python", hidden.strip()))
        else:
            lines = [row.removeprefix(indent) for row in code.splitlines()]
            found.append((line, kind, "\n".join(lines) + "\n"))
    return found


def check_session(page: Path, line: int, code: str, names: dict[str, object]) -> None:
    test = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    runner.run(test, out=said.append, clear_globs=False)
    assert runner.failures == 0, "".join(said)
    names.update(test.globs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page, monkeypatch, tmp_path):
    monkeypatch.delenv("AEROSPIKE_HOST", raising=False)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__page__"}
    with LocalServer(edition="enterprise") as server:
        names["_server"] = server
        for line, kind, code in blocks(page):
            code = re.sub(r'("127\.0\.0\.1", |127\.0\.0\.1:)3000', rf"\g<1>{server.port}", code)
            if kind == "pycon":
                check_session(page, line, code, names)
            else:
                exec(compile("\n" * line + code, str(page), "exec"), names)


def test_every_setting_is_explained():
    text = (ROOT / "docs" / "configuration.md").read_text()
    told = set(re.findall(r"^\| `(\w+)`", text.split("## Policies")[0], re.MULTILINE))
    assert told == _config.TOP_KEYS | _config.SUB_KEYS["tls"]


def test_links_lead_somewhere():
    lost = []
    for page in [*PAGES, *(ROOT / "docs").glob("*/*.md"), *(ROOT / "src").glob("*/README.md"),
                 ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                lost.append(f"{page.relative_to(ROOT)}: {target}")
    assert lost == []


def test_the_index_names_every_page():
    named = re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs" / "README.md").read_text())
    assert sorted({*named, "README.md"}) == sorted(p.name for p in (ROOT / "docs").glob("*.md"))


def test_a_decision_has_a_number_of_its_own():
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert len(set(numbers)) == len(numbers)
    assert [page.read_text().split(". ")[0] for page in pages] == [f"# {n}" for n in numbers]


def test_tables_of_the_pages_are_those_of_the_code():
    import gen_docs

    assert [page.name for page, text in gen_docs.make_files().items()
            if page.read_text() != text] == []
