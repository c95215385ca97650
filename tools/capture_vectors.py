"""Write down what the official client sends, where the golden vectors lack it.

Run by a developer, with the interpreter of an environment that has the package, and a server::

    AEROSPIKE_HOST=host:port <python with aerospike> tools/capture_vectors.py

Written: tests/data/more_vectors.jsonl, in the notation of tests/wire/golden (see
tests/support/golden.py, which also turns it into calls). The client talks to the server through
this process, which reads the operations that pass.
"""

from __future__ import annotations

import base64
import contextlib
import inspect
import json
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from golden import MORE, OPERATIONS, Face  # noqa: E402

CTX = [["map_key", "k"], ["list_index", -1]]
POLICIES: dict[str, list[Any]] = {
    "list": [{"list_order": 1}, {"write_flags": 5}, {"list_order": 1, "write_flags": 9}, {}],
    "map": [{"map_order": 1}, {"map_write_flags": 5}, {"map_order": 3, "map_write_flags": 1},
            {"map_order": 1, "persist_index": True}, {}],
    "bitwise": [{"bit_write_flags": 4}, {}],
    "hll": [{"flags": 4}, {}],
    "string": [{"$strpolicy": 4}],
}
#: Arguments by name; those of bits are others where they share a name.
SAMPLES: dict[str, list[Any]] = {
    "value": [7, "seven", None, -1.5, [1, [2]], {"$map": [["b", 1], ["a", [True]]]}],
    "values": [[7, "x"], [], [None]],
    "value_list": [[1, "two"], []], "key_list": [["a", 3], []], "item_dict": [
        {"$map": [["z", 1], [2, "b"], [{"$bytes": "00ff"}, None]]}, {"$map": []}],
    "amount": [3, -3], "value_begin": [2, None], "value_end": [9, None],
    "begin": ["a", None], "end": ["z", None], "range_start": ["a"], "range_end": ["z"],
    "key_range_start": ["a", 1], "key_range_end": ["z", 9, {"$inf": 1}],
    "value_start": [1], "key": ["k", 5, {"$bytes": "01"}],
    "index": [1, -1], "rank": [0, -2], "offset": [1, -1], "rank_start": [0, -1],
    "index_start": [0, -1], "remove_amt": [2], "get_amt": [2], "list_order": [1, 0],
    "map_order": [0, 1, 3], "sort_flags": [0, 2], "return_type": [7, 5, 0, 13],
    "inverted": [True], "pad": [True], "persist_index": [True], "count": [2, None],
    "ctx": [CTX], "separator": ["-", None],
}
BITS: dict[str, list[Any]] = {
    "value": [{"$bytes": "a5c3"}], "byte_size": [3], "byte_offset": [1], "bit_offset": [3, -8],
    "bit_size": [7], "value_byte_size": [2, 1], "shift": [4], "action": [2, 4], "sign": [True],
    "resize_flags": [1, 2], "invert_size": [True],
}
NUMBERS = ("bit_add", "bit_subtract", "bit_set_int")
HLL: dict[str, list[Any]] = {
    "values": [[1, "a", 2.5]], "index_bit_count": [8], "mh_bit_count": [5],
    "hll_list": [[{"$hll": "00040000000000000000000000000000000000000000000000"}]],
}
STRINGS: dict[str, list[Any]] = {
    "value": ["ab"], "value_list": [["a", "b"]], "values": [["a", "b"]], "start": [1, -2],
    "end": [3], "index": [2],
    "needle": ["n"], "occurrence": [1, 2], "prefix": ["p"], "suffix": ["s"], "pattern": ["a.c"],
    "replacement": ["r"], "target_length": [9], "pad_string": ["-"], "count": [3],
    "separator": [","], "numeric_type": [{"$numeric": 1}], "regex_flags": [{"$regex": 2}],
}
EXPRESSIONS: dict[str, list[Any]] = {
    **SAMPLES, "policy": [None], "map_value": [["MapBin", "m"]], "invert_size": [True],
    "expr": [["IntBin", "i"]], "mod_exp": [["Add", ["LoopVarInt", 1], 1]], "ctx": [None],
    "bin": ["b"], "value": [7, ["IntBin", "i"]],
    "values": [{"$list": [1, 2]}], "map": [{"$map": [["a", 1]]}], "list": [{"$list": [1]}],
    "keys": [{"$list": ["a"]}], "value_type": [2], "expr0": [["IntBin", "i"]], "expr1": [5],
    "num": [["IntBin", "i"]], "base": [2.0], "exponent": [3.0], "shift": [2], "search": [True],
    "mod": [3], "flags": [0], "var_id": [1], "exp_type": [2], "var_name": ["x"],
    "options": [2], "regex_str": ["a.*"], "cmp_str": [["StrBin", "s"]], "delta": [2],
    "numerator": [["FloatBin", "f"]], "denominator": [2.0], "begin": [1, None], "end": [5, None],
    "order": [0], "name": ["x"], "byte_size": [2], "byte_offset": [1], "bit_offset": [1],
    "bit_size": [8], "action": [2], "sign": [True], "index_bit_count": [8], "mh_bit_count": [6],
}


# ---- between the client and the server ----


class Recorder:
    """Passes bytes on and keeps the last operation that a client sent."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.last: tuple[int, int, str] | None = None
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(self.target)
            threading.Thread(target=self.requests, args=(near, far), daemon=True).start()
            threading.Thread(target=self.replies, args=(far, near), daemon=True).start()

    def requests(self, near: socket.socket, far: socket.socket) -> None:
        stream = near.makefile("rb")
        while len(head := stream.read(8)) == 8:
            size = int.from_bytes(head[2:], "big")
            body = stream.read(size)
            if head[1] == 3:
                self.last = last_operation(body) or self.last
            far.sendall(head + body)
        far.close()

    @staticmethod
    def replies(far: socket.socket, near: socket.socket) -> None:
        try:
            while part := far.recv(65536):
                near.sendall(part)
        except OSError:
            pass
        near.close()


def last_operation(body: bytes) -> tuple[int, int, str] | None:
    """Type, particle and payload of the last operation of a message."""
    header, fields, ops = body[0], *struct.unpack_from(">HH", body, 18)
    at, found = header, None
    for _ in range(fields):
        at += 4 + struct.unpack_from(">I", body, at)[0]
    for _ in range(ops):
        size, kind, particle, _, name = struct.unpack_from(">IBBBB", body, at)
        found = (kind, particle, body[at + 8 + name:at + 4 + size].hex())
        at += 4 + size
    return found


# ---- which calls ----


def variants(names: list[tuple[str, bool]], known: dict[str, list[Any]],
             most: int = 60) -> Iterator[dict[str, Any]]:
    """The needed arguments, each alone in all its values, each optional one, and all at once."""
    needed = {name: known[name][0] for name, required in names if required}
    yield needed
    for name, required in names:
        for value in known.get(name, [])[1 if required else 0:most]:
            yield {**needed, name: value}
    whole = {name: known[name][0] for name, _ in names if known.get(name)}
    if whole != needed:
        yield whole


def parameters(what: Any, skip: int) -> list[tuple[str, bool]]:
    """Names of parameters, and whether they are compulsory."""
    found = list(inspect.signature(what).parameters.values())[skip:]
    return [(p.name, p.default is p.empty) for p in found]


def samples_of(stem: str, fn: str) -> dict[str, list[Any]]:
    """The arguments for the operations of a module."""
    family = stem.removesuffix("_operations")
    known = {**SAMPLES, "policy": POLICIES.get(family, []), "map_policy": POLICIES["map"]}
    if family == "bitwise":
        known.update(BITS)
        if fn in NUMBERS:
            known["value"] = [3]
        if fn.endswith("scan"):
            known["value"] = [True, False]
    elif family == "hll":
        known.update(HLL)
    elif family == "string":
        known.update(STRINGS)
    return known


def operations(face: Face) -> Iterator[dict[str, Any]]:
    """Calls of the helpers of operations."""
    for stem in OPERATIONS[:5]:
        module = face.module(f"operations.{stem}")
        for fn, what in sorted(vars(module).items()):
            if not inspect.isfunction(what) or what.__module__ != module.__name__ or fn[0] == "_":
                continue
            known = samples_of(stem, fn)
            missing = [name for name, needed in parameters(what, 1) if needed and name not in known]
            if missing:
                print(f"{fn}: no sample for {missing}", file=sys.stderr)
                continue
            for args in variants(parameters(what, 1), known):
                group = "string" if stem == "string_operations" else stem.split("_")[0]
                yield {"id": f"{group}.{fn}", "op": {"fn": fn, "args": args}}


def classes(face: Face) -> Iterator[tuple[str, Any, str]]:
    """Classes of expressions, as they are written, and their family."""
    for stem in ("base", "list", "map", "bitwise", "bitwise_operators", "arithmetic", "hll",
                 "string"):
        module = face.module(f"expressions.{stem}")
        for name, what in sorted(vars(module).items()):
            if (inspect.isclass(what) and what.__module__ == module.__name__ and name[0] != "_"
                    and hasattr(what, "compile")):
                yield ("Str:" if stem == "string" else "") + name, what, stem


def expressions(face: Face) -> Iterator[dict[str, Any]]:
    """Trees of one class each, its operands literals and bins."""
    for name, what, stem in classes(face):
        if name in ("Let", "Not", "Def"):  # of another form; the golden vectors have them
            continue
        known = {**EXPRESSIONS, "ctx": [None, {"$ctx": CTX}],
                 "policy": [None, *({"$policy": p} for p in POLICIES.get(stem, []))]}
        if stem == "bitwise":
            known["value"] = [3] if name in ("BitAdd", "BitSubtract", "BitSetInt") else (
                [True] if name.endswith("Scan") else [{"$bytes": "a5c3"}])
        if stem == "hll":
            known["values"] = [{"$list": [1, "a"]}]
        if stem == "string":
            known.update({k: [{"$list": v[0]}] if isinstance(v[0], list) else v
                          for k, v in STRINGS.items()}, policy=[None, {"$strpolicy": 4}])
        params = inspect.signature(what).parameters.values()
        if any(p.kind is p.VAR_POSITIONAL for p in params):
            for args in ([["IntBin", "a"], ["IntBin", "b"]], [["IntBin", "a"], 3, ["Var", "x"]]):
                yield {"id": f"exp.{name}", "exp": [name, *args]}
            continue
        if name == "SelectByPath" or name == "ModifyByPath":
            known["ctx"] = [{"$ctx": [*CTX, ["all_children"]]}]
        names = parameters(what, 0)
        try:
            for args in variants(names, known):
                yield {"id": f"exp.{name}", "exp": positional(name, what, args)}
        except KeyError as missing:
            print(f"{name}: no sample for {missing}", file=sys.stderr)


def positional(name: str, what: Any, args: dict[str, Any]) -> list[Any]:
    """The notation of a call: all arguments up to the last that is given."""
    params = list(inspect.signature(what).parameters.values())
    last = max((i for i, p in enumerate(params) if p.name in args), default=-1)
    return [name, *(args.get(p.name, None if p.default is p.empty else p.default)
                    for p in params[:last + 1])]


# ---- capturing ----


def capture(face: Face, client: Any, recorder: Recorder) -> Iterator[dict[str, Any]]:
    """The vectors; calls that the client refuses are left out."""
    error = face.types.exception.AerospikeError
    key = ("test", "vectors", 1)
    for told in operations(face):
        with contextlib.suppress(error):
            client.remove(key)
        op = face.operation(told)
        recorder.last = None
        with contextlib.suppress(error):
            client.operate(key, [op])
        if recorder.last:
            kind, particle, payload = recorder.last
            yield {**told, "src": "client", "kind": "op", "wire_op": kind,
                   "wire_pt": particle, "hex": payload}
    for told in expressions(face):
        try:
            text = client.get_expression_base64(face.expression(told).compile())
        except (error, TypeError, AttributeError):
            continue
        yield {**told, "src": "client", "kind": "exp", "hex": base64.b64decode(text).hex(),
               "b64": text}


def main() -> int:
    host, _, port = os.environ["AEROSPIKE_HOST"].partition(":")
    recorder = Recorder(host, int(port or 3000))
    face = Face("aerospike", "aerospike_helpers")
    client = face.types.client({"hosts": [("127.0.0.1", recorder.port)]})
    seen: set[str] = set()
    rows = []
    for vector in capture(face, client, recorder):
        vector["id"] = f"more.{vector['id']}.{len(rows) + 1}"
        if vector["id"].startswith("more.string."):
            vector["id"] = vector["id"].removeprefix("more.")
        same = json.dumps([vector.get("op"), vector.get("exp")])
        if same not in seen:
            seen.add(same)
            rows.append(json.dumps(vector, separators=(",", ":")))
    MORE.write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{len(rows)} vectors")
    client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
