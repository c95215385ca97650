"""The tools of the tree: do they see what they are to see?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import check_rooms  # noqa: E402
import matrix  # noqa: E402
import prepare  # noqa: E402

HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n"


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(check_rooms, "ROOT", tmp_path)
    (tmp_path / "src" / "wire").mkdir(parents=True)
    (tmp_path / "src" / "wire" / "internal.h").write_text(HEAD)

    def write(name: str, text: str) -> list[str]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return [said for _, said in check_rooms.faults(path)]

    return write


@pytest.mark.parametrize("name, include, said", [
    ("src/wire/a.c", '"aero/base/buf.h"', []),
    ("src/wire/a.c", '"internal.h"', []),
    ("src/wire/a.c", '"aero/net/conn.h"', ["wire must not know net"]),
    ("src/wire/a.c", '"aero/server/server.h"', ["wire must not know server"]),
    ("src/wire/a.c", "<sys/socket.h>", ["<sys/socket.h> is for base, net, cluster, drive, "
                                        "server, python only"]),
    ("src/wire/a.c", '"missing.h"', ['"missing.h" is not here']),
    ("src/net/a.c", '"../wire/internal.h"', ['"../wire/internal.h" is private to another room']),
    ("src/client/a.c", "<Python.h>", ["<Python.h> is for python only"]),
    ("src/net/a.c", "<uv.h>", ["<uv.h> is for drive, server only"]),
    ("src/server/a.c", '"aero/cluster/node.h"', ["server must not know cluster"]),
    ("src/python/server_module.c", '"aero/server/server.h"', []),
    ("src/python/client.c", '"aero/server/server.h"', ["python must not know server"]),
    ("include/aero/base/a.h", '"aero/wire/msg.h"', ["base must not know wire"]),
])
def test_a_room_knows_only_what_it_stands_on(house, name, include, said):
    assert house(name, f"{HEAD}#include {include}\n") == said


def test_length_and_licence(house):
    long = HEAD + "void\nf(void)\n{\n" + "    ;\n" * 101 + "}\n"
    assert house("src/base/a.c", long) == ["a function of 102 lines"]
    assert house("src/base/a.c", "int a;\n") == ["no SPDX line"]


def test_the_page_of_a_room_names_its_files(tmp_path):
    for name in ("a.c", "b_one.c", "b_two.c", "c.c"):
        (tmp_path / name).write_text(HEAD)
    (tmp_path / "README.md").write_text("| `a.c` `b_*.c` | this |\n| c.c | that |\n")
    assert list(check_rooms.unnamed(tmp_path)) == ["c.c"]


def test_the_tree_keeps_to_its_rooms():
    done = subprocess.run([sys.executable, "tools/check_rooms.py"], cwd=ROOT, text=True,
                          capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_missing_packages_are_told_for_every_packager(monkeypatch, capsys):
    monkeypatch.setattr(prepare, "missing_packages", lambda: ["libuv1-dev", "build-essential"])
    monkeypatch.setattr(prepare, "as_root", lambda: None)
    assert prepare.deps() == 1
    told = capsys.readouterr().err
    assert "sudo apt-get install -y libuv1-dev build-essential\n" in told
    assert "sudo dnf install " in told and "sudo apk add " in told and "brew install " in told


def test_apt_runs_where_it_may(monkeypatch):
    asked = []

    class Done:
        returncode = 0

    monkeypatch.setattr(prepare, "missing_packages", lambda: ["libuv1-dev"])
    monkeypatch.setattr(prepare, "as_root", lambda: ["sudo"])
    monkeypatch.setattr(prepare.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(prepare.subprocess, "run", lambda words, **_: asked.append(words) or Done())
    assert prepare.deps() == 0
    assert [words[0] for words in asked] == ["sudo", "sudo"]
    assert asked[0][-1] == "update"
    assert asked[1][-3:] == ["install", "--no-install-recommends", "libuv1-dev"]


def test_an_interpreter_says_its_version():
    assert matrix.version_of(sys.executable).startswith("3.")
    assert matrix.version_of("/nowhere/python") is None


def imported(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_import_is_quick_and_leaves_out_what_is_not_needed():
    code = ("import time, sys; start = time.process_time(); import aerospike_py; "
            "print(time.process_time() - start, *sys.modules)")
    runs = [imported(code).split() for _ in range(5)]
    loaded = set(runs[0][1:])
    slow = os.environ.get("AERO_VARIANT", "release") != "release"  # under a sanitizer
    assert min(float(run[0]) for run in runs) < (0.5 if slow else 0.05)
    unwanted = {"numpy", "asyncio", "aerospike_py._server", "aerospike_py.server", "ssl",
                "aerospike_py.tour", "aerospike_py._lua", "pyarrow", "opentelemetry"}
    assert not unwanted & loaded


def test_ci_calls_make_test():
    assert "exec make test" in (ROOT / ".ci" / "run").read_text()
