"""Payloads with a slip: golden ones with bytes changed, cut or doubled.

``python tests/differential/malformed.py 20000`` sends so many to a local server, and, if
AEROSPIKE_HOST is set, to that one, and compares code, answer and the bin afterwards. A real
server 8.1.2 may end by it (some checks of its own stop the process): use one that is yours.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from run import real_host

from aerospike_py.server import LocalServer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from golden import vectors
from rawclient import MESSAGE, READ_ALL, Connection, message

#: What a server may say of a malformed operation.
CODES = {0, 1, 4, 6, 12, 13, 17, 23, 24, 26, 160}
READ, WRITE, WRITES = 1, 1, (4, 8, 13, 16)
Answer = tuple[int, bytes, bytes]


def seeds() -> list[dict[str, Any]]:
    """Operations with the bin they were sent to."""
    return [v for v in vectors() if v["kind"] == "op" and "hex" in (v.get("before") or {})
            and len(v["hex"]) < 400 and not v.get("volatile")]


def mutate(r: Random, payload: bytes) -> bytes:
    made = bytearray(payload)
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        at = r.randrange(len(made)) if made else 0
        how = r.randrange(5)
        if how == 0 and made:
            made[at] = r.randrange(256)
        elif how == 1 and made:
            made[at] ^= 1 << r.randrange(8)
        elif how == 2:
            del made[at:]
        elif how == 3:
            made[at:at] = made[at:at + r.randint(1, 4)]
        elif made:
            made[at] = r.choice([0xC0, 0xC7, 0xD4, 0xDD, 0xDF, 0xDB, 0xFF, 0x7F, 0x80, 0x90])
    return bytes(made)


def body_of(reply: bytes) -> tuple[int, bytes]:
    """The code, and the operations of an answer."""
    at = 22
    for _ in range(struct.unpack_from(">H", reply, 18)[0]):
        at += 4 + struct.unpack_from(">I", reply, at)[0]
    return reply[5], reply[at:]


def ask(line: Connection, key: bytes, vector: dict[str, Any], payload: bytes) -> Answer:
    """Write the bin, send the payload, read the bin back."""
    before = bytes.fromhex(vector["before"]["hex"])
    if vector["before"]["pt"] == 23:  # the server makes its own cells
        before = b"\0\0\0" + before[3 + 8 * int.from_bytes(before[1:3], "big"):]
    digest = hashlib.sha1(key).digest()
    line.ask(MESSAGE, message(0, 0x03, digest, "test"))  # delete
    put = line.ask(MESSAGE, message(0, WRITE, digest, "test",
                                    [(2, vector["before"]["pt"], b"b", before)]))
    assert put[5] == 0, vector["id"]
    info = (0, WRITE) if vector["wire_op"] in WRITES else (READ, 0)
    code, answer = body_of(line.ask(MESSAGE, message(*info, digest, "test", [
        (vector["wire_op"], vector["wire_pt"], b"b", payload)])))
    _, after = body_of(line.ask(MESSAGE, message(READ_ALL, 0, digest, "test")))
    return code, answer, after


def unchanged(line: Connection, key: bytes, vector: dict[str, Any]) -> bytes:
    """The bin as it is when nothing happens to it."""
    return ask(line, key, {**vector, "wire_op": 3}, b"")[2]


def run(port: int, count: int, seed: int, real: tuple[str, int] | None = None) -> Counter[int]:
    """How many ended with which code; AssertionError where something is wrong."""
    known, codes = seeds(), Counter[int]()
    with Connection(port) as line:
        other = Connection(real[1], real[0]) if real else None
        for i in range(seed, seed + count):
            r = Random(i)
            vector = r.choice(known)
            payload = mutate(r, bytes.fromhex(vector["hex"]))
            told = f"seed {i}: {vector['id']} {vector['hex']} as {payload.hex()}"
            key = f"malformed {i % 64}".encode()
            found = ask(line, key, vector, payload)
            assert found[0] in CODES, f"{told}: {found[0]}"
            if found[0]:
                assert found[2] == unchanged(line, key, vector), f"{told} changed the bin"
            if other:
                there = ask(other, key, vector, payload)
                assert there == found, f"{told}:\n local {found}\n real  {there}"
            codes[found[0]] += 1
    return codes


if __name__ == "__main__":
    amount = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with LocalServer() as server:
        print(run(server.hosts[0][1], amount, int((sys.argv[2:] or ["0"])[0]), real_host()))
