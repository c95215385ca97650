"""Fuzzes each reader and says how many inputs it survived.

``python tests/fuzz/run.py DIR [--seconds N | --runs N] [TARGET ...]`` runs the
programs ``DIR/fuzz_*`` (``make fuzz`` builds them), each on a corpus of its own
that begins with what the golden vectors hold and grows in
``build/fuzz/<target>``.  An input that breaks one is kept there as
``crash-...``; it becomes a C test of the room it belongs to.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VECTORS = ROOT / "tests/wire/golden/wire-vectors.jsonl"
CAPTURES = ROOT / "tests/wire/golden/captures.txt"
SERVER = ROOT / "tests/server/golden"

#: What a real server says of itself; bitmaps are as long as they must be.
BITMAP = base64.b64encode(bytes([0xF0]) * 512).decode()
TEXTS: dict[str, list[str]] = {
    "peers": ["0,3000,[]", "12,3000,[[BB9,,[10.0.0.1:3000,[2001:db8::1]:3100]],[BB8,tls,[h]]]",
              "3,,[[A,,[]],[B,,[[::1]]]]"],
    "partitions": [f"test:0,1,{BITMAP};bar:7,2,{BITMAP},{BITMAP}", "test:0,0,", f"t:1,3,{BITMAP}"],
    "info": ["node\tBB9020011AC4202\nbuild\t8.1.2.0\n", "a\tERROR:4:bad\nb\tFAIL:201:x\n",
             "x\tns=test:set=s;ns=bar:b=1\nservice-clear-std\t[::1]:3000,10.0.0.1:3000\n",
             "ERROR:80:not authenticated", "status\nbuild\n", "Zm9vYmFyZg=="],
}


def frame(kind: int, body: bytes) -> bytes:
    return bytes([2, kind]) + len(body).to_bytes(6, "big") + body


def hex_lines(path: Path) -> Iterator[list[bytes]]:
    """The columns of a file of requests and answers that are hex texts."""
    for line in path.read_text(encoding="utf-8").splitlines():
        columns = [c for c in line.split() if re.fullmatch(r"(?:[0-9a-f]{2}){16,}", c)]
        if columns:
            yield [bytes.fromhex(c) for c in columns]


def captures() -> Iterator[tuple[str, bytes]]:
    """(direction, bytes) of each frame that was recorded."""
    if CAPTURES.exists():
        for line in CAPTURES.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if len(words) == 3 and words[1] in ("<", ">"):
                yield words[1], bytes.fromhex(words[2])


def vectors() -> Iterator[tuple[str, bytes]]:
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        payload = bytes.fromhex(vector.get("hex") or "")
        kind = vector["kind"]
        if kind in ("exp", "filter"):
            yield "expression", payload
        if kind == "exp":
            yield "expression", bytes.fromhex(vector["read_op"]["hex"])
        if kind == "exp_write":
            yield "expression", payload
        if kind == "op":
            before = vector.get("before") or {}
            held = bytes.fromhex(before.get("hex") or "")
            how = {19: 1, 4: 2, 18: 3}.get(before.get("pt", 20), 0)
            for modify in (0, 0x80):
                if len(held) < 256:
                    yield "cdt", bytes([how | modify, len(held)]) + held + payload
        for part in (vector.get("before"), vector.get("after"), vector.get("reply")):
            if part and part.get("hex"):
                yield "values", bytes.fromhex(part["hex"])


def seeds() -> Iterator[tuple[str, bytes]]:
    """(target, input) of everything that is known."""
    yield from vectors()
    for target, texts in TEXTS.items():
        for text in texts:
            yield target, text.encode()
    for name in ("commands.txt", "batches.txt", "operations.txt"):
        for number, columns in enumerate(hex_lines(SERVER / name)):
            if number % 20 == 0:
                yield "request", columns[0]
                yield from ((target, head + frame(3, columns[-1])) for target, head in (
                    ("message", b""), ("batch", b"\0"), ("query", b"\0")))
    for way, data in captures():
        kind = data[1]
        yield "message", data
        if kind == 1:
            yield "info", data[8:]
        elif kind == 2:
            yield "admin", data[8:]
        elif way == ">":
            yield "request", data[8:]
        else:
            yield "batch", b"\0" + data
            yield "query", b"\0" + data


def write_seeds(folder: Path) -> None:
    for target, data in seeds():
        place = folder / target
        place.mkdir(parents=True, exist_ok=True)
        name = f"seed-{hash_of(data)}"
        (place / name).write_bytes(data)


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def run(program: Path, corpus: Path, options: argparse.Namespace) -> tuple[int, bool]:
    """Inputs tried, and whether all went well."""
    corpus.mkdir(parents=True, exist_ok=True)
    limit = ([f"-runs={options.runs}"] if options.runs
             else [f"-max_total_time={options.seconds}"])
    done = subprocess.run(
        [program, *limit, "-print_final_stats=1", "-max_len=4096", "-timeout=20",
         "-rss_limit_mb=2048", f"-artifact_prefix={corpus}/", corpus],
        capture_output=True, text=True, errors="replace", check=False)
    found = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    if done.returncode != 0:
        print(done.stderr[-6000:], file=sys.stderr)
    return int(found.group(1)) if found else 0, done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz each reader.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=60, help="for each reader")
    parser.add_argument("--runs", type=int, default=0, help="inputs instead of seconds")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_intermixed_args()
    corpora = ROOT / "build/fuzz"
    programs = sorted(p for p in options.folder.glob("fuzz_*") if not p.suffix)
    failed = 0

    write_seeds(corpora)
    for program in programs:
        target = program.name.removeprefix("fuzz_")
        if options.targets and target not in options.targets:
            continue
        count, fine = run(program, corpora / target, options)
        failed += not fine
        print(f"{target:12} {count:12,d} inputs  {'ok' if fine else 'FAILED'}", flush=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
