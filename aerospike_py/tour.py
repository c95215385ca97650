"""A guided tour of the client, on a local server of its own.

``python -m aerospike_py.tour`` (or ``make run``) shows each statement, runs
it, and shows what it returned.  Nothing is written but to the memory of the
server that it starts.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any, TextIO

import aerospike_py as aerospike
from aerospike_py.server import LocalServer

__all__ = ["Tour", "main"]

WIDTH = 79
INDENT = "     "

#: Headings, what is said of them, and statements, run in this order in one
#: namespace.  A statement that starts with "! " must raise an AerospikeError;
#: one that starts with "@ " names a step of this module that shows its own.
CHAPTERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Connect",
     "A client is made from a configuration; it connects when it is told to, or at its first "
     "use. Seeds are enough: it finds the other nodes of the cluster itself.",
     ("import aerospike_py as aerospike",
      'client = aerospike.client({"hosts": hosts}).connect()',
      "client.is_connected()",
      "client.get_node_names()",
      'client.info_random_node("build")')),
    ("Put and get",
     "A key is a namespace, a set and the user's part of it. A record is a dict of bins.",
     ('key = ("test", "tour", "ada")',
      'client.put(key, {"name": "Ada", "born": 1815, "langs": ["en", "fr"],\n'
      '                 "note": b"\\x00\\x01"})',
      "client.get(key)",
      "_, meta, bins = client.get(key)",
      'bins["langs"]',
      'client.select(key, ["name", "born"]).bins',
      "client.exists(key).meta")),
    ("Change it in place",
     "The server does these; nothing is read first.",
     ('client.append(key, "name", " Lovelace")',
      'client.prepend(key, "name", "Countess ")',
      'client.increment(key, "born", 1)',
      'client.remove_bin(key, ["note"])',
      "client.touch(key, 86_400)",
      "client.get(key).bins",
      "client.exists(key).meta")),
    ("Several operations, one request",
     "All of them happen, or none. `operate` gives the last value of each bin, "
     "`operate_ordered` every result in order.",
     ("from aerospike_py.helpers.operations import operations as op",
      'visit = [op.increment("visits", 1), op.write("seen", "today"), op.read("visits")]',
      "client.operate(key, visit).bins",
      "client.operate_ordered(key, visit).ordered_bins")),
    ("Lists and maps",
     "They are changed inside the record, on the server.",
     ("from aerospike_py import list_operations as lops, map_operations as mops",
      'client.operate(key, [lops.list_append("langs", "de"), lops.list_size("langs")]).bins',
      'client.operate(key, [mops.map_put("attrs", "eyes", "brown"),\n'
      '                     mops.map_put("attrs", "age", 36)]).bins',
      'age = mops.map_get_by_key("attrs", "age", aerospike.MAP_RETURN_VALUE)',
      "client.operate(key, [age]).bins")),
    ("Only if",
     "A policy is a dict. These let a write pass only from the version that was read, only when "
     "there is no record yet, or only where an expression is true.",
     ("from aerospike_py import exp",
      "seen = client.exists(key).meta.gen",
      'same = {"gen": aerospike.POLICY_GEN_EQ}',
      'client.put(key, {"name": "Ada King"}, {"gen": seen}, same)',
      '! client.put(key, {"name": "Ada"}, {"gen": seen}, same)',
      'new = {"exists": aerospike.POLICY_EXISTS_CREATE_ONLY}',
      '! client.put(key, {"born": 1816}, policy=new)',
      'adult = exp.ge(exp.int_bin("visits"), exp.int_val(18))',
      '! client.get(key, policy={"filter_expression": adult})')),
    ("Errors",
     "What is wrong with an argument is said before anything is sent; what the server refuses "
     "comes with its code and its node. Every class derives from AerospikeError.",
     ('! client.get(("test", "tour", "nobody"))',
      '! client.put(key, {"sixteen_letters_": 1})',
      '! client.put(key, {"big": 2**63})',
      '! client.get(("nowhere", "tour", 1))')),
    ("Expiry",
     "A record may carry a time to live, in seconds. Here the server's clock is put ahead.",
     ('short = ("test", "tour", "short")',
      'client.put(short, {"is": "here"}, {"ttl": 60})',
      "client.exists(short).meta",
      "server.advance(61)",
      "client.exists(short)",
      "! client.get(short)")),
    ("Some thousand records", "One after the other, from one thread.", ("@ many_records",)),
    ("Many at once",
     "One request to each node, whatever the number of keys; a result for each row.",
     ('keys = [("test", "tour", number) for number in range(5)]',
      'found = client.batch_read(keys, ["square"])',
      "found.to_dict()",
      "client.batch_remove(keys[:2]).result")),
    ("Query", "By an index, or all records of a set; they come as a stream or as a list.",
     ("from aerospike_py import predicates",
      'client.index_integer_create("test", "tour", "number", "tour_number")',
      'query = client.query("test", "tour").where(predicates.between("number", 10, 13))',
      'sorted(record.bins["square"] for record in query.results())',
      'client.index_remove("test", "tour_number")')),
    ("asyncio", "The same methods, awaited; no thread behind them.",
     ("import asyncio",
      "async def read_all(keys):\n"
      "    made = aerospike.async_client({\"hosts\": hosts})\n"
      "    async with await made.connect() as client:\n"
      "        return await asyncio.gather(*(client.get(key) for key in keys))",
      'records = asyncio.run(read_all([("test", "tour", n) for n in range(2, 12)]))',
      '[record.bins["square"] for record in records]')),
    ("Remove and close", "A client closes itself at the end of a `with` statement, too.",
     ("client.remove(key)",
      "client.exists(key).meta is None",
      "client.close()",
      "client.is_connected()")),
)

FAREWELL = """\
That was all on a server in memory, which is gone now. With a cluster of yours:

    import aerospike_py as aerospike

    config = {"hosts": [("10.0.0.1", 3000)]}    # any node of it
    with aerospike.client(config).connect() as client:
        client.put(("test", "demo", "user1"), {"name": "Alice", "age": 30})
        print(client.get(("test", "demo", "user1")).bins)

{python} -m aerospike_py.server keeps a local server on
port 3000; docs/getting-started.md goes on from here.
"""


class Ink:
    """Colours, where a person looks on; plain text elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self.on = (out.isatty() and "NO_COLOR" not in os.environ
                   and os.environ.get("TERM") != "dumb")

    def __call__(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on else text


def shown(value: Any, room: int = WIDTH - len(INDENT)) -> str:
    """Its repr; a long one with a line for each part."""
    text = repr(value)
    if len(text) <= room:
        return text
    if hasattr(value, "_asdict"):
        parts = [f"{name}={shown(part, room - 4)}" for name, part in value._asdict().items()]
        opening, closing = f"{type(value).__name__}(", ")"
    elif isinstance(value, dict):
        parts = [f"{name!r}: {shown(part, room - 4)}" for name, part in value.items()]
        opening, closing = "{", "}"
    elif isinstance(value, list):
        parts = [shown(part, room - 4) for part in value]
        opening, closing = "[", "]"
    else:
        return text
    return f"{opening}\n" + textwrap.indent(",\n".join(parts) + closing, "    ")


class Tour:
    """Chapters of statements, shown as they run.

    Parameters
    ----------
    server : LocalServer
        The server that is visited; it is running.
    out : text file
        Where it is told.
    count : int
        Records of the chapter that writes many.
    """

    def __init__(self, server: LocalServer, out: TextIO, count: int) -> None:
        self.out = out
        self.ink = Ink(out)
        self.count = count
        self.names: dict[str, Any] = {"server": server, "hosts": list(server.hosts)}

    def say(self, text: str = "") -> None:
        """Print a line."""
        print(text, file=self.out)

    def run(self) -> None:
        """All chapters."""
        for number, (heading, text, statements) in enumerate(CHAPTERS, 1):
            self.say(f"\n{self.ink(f'{number:3}  {heading}', '1')}")
            for line in textwrap.wrap(text, WIDTH - len(INDENT)):
                self.say(INDENT + self.ink(line, "2"))
            self.say()
            for statement in statements:
                self.step(statement)

    def step(self, statement: str) -> None:
        """Run one statement and show it."""
        if statement.startswith("@ "):
            getattr(self, statement[2:])()
            return
        fails = statement.startswith("! ")
        statement = statement.removeprefix("! ")
        lines = statement.split("\n")
        for prompt, line in zip(chain((">>>",), repeat("...")), lines, strict=False):
            self.say(f"{INDENT}{self.ink(prompt, '32')} {self.ink(line, '36')}")
        if not fails:
            self.result(self.evaluate(statement))
            return
        try:
            self.evaluate(statement)
        except aerospike.AerospikeError as error:
            name = type(error).__name__
            text = textwrap.fill(f"{name}: {error}", WIDTH, initial_indent=INDENT,
                                 subsequent_indent=INDENT + "    ")
            self.say(text.replace(name, self.ink(name, "33"), 1))
        else:
            raise RuntimeError(f"this should have failed: {statement}")

    def evaluate(self, statement: str) -> Any:
        """Its value; None for what is no expression."""
        tree = ast.parse(statement)
        if isinstance(tree.body[0], ast.Expr):
            return eval(statement, self.names)
        exec(statement, self.names)
        return None

    def result(self, value: Any) -> None:
        """Show what a statement gave."""
        if value is not None:
            self.say(textwrap.indent(shown(value), INDENT))

    # ---- many records ----

    def many_records(self) -> None:
        """Write and read records, with a bar."""
        client = self.names["client"]
        keys = [("test", "tour", number) for number in range(self.count)]

        def write(key: tuple[str, str, int]) -> None:
            client.put(key, {"number": key[2], "square": key[2] ** 2, "text": "x" * 50})

        self.timed("put", keys, write)
        self.timed("get", keys, client.get)

    def timed(self, what: str, keys: Sequence[Any], each: Callable[[Any], Any]) -> None:
        """Do it for each key, and tell the rate."""
        start = time.perf_counter()
        for key in self.progress(what, keys):
            each(key)
        took = time.perf_counter() - start
        rate = f"{len(keys) / took:,.0f} a second"
        self.say(f"{INDENT}{what}  {len(keys):,} records in {took:.2f} s: {self.ink(rate, '1')}")

    def progress(self, what: str, keys: Sequence[Any]) -> Iterator[Any]:
        """Each key; a bar moves along where a person looks on."""
        every = max(1, len(keys) // 40)
        for done, key in enumerate(keys, 1):
            yield key
            if self.out.isatty() and (done % every == 0 or done == len(keys)):
                full = 40 * done // len(keys)
                bar = self.ink("━" * full, "32") + self.ink("━" * (40 - full), "2")
                self.out.write(f"\r{INDENT}{what}  {bar} {done:,} of {len(keys):,}")
                self.out.flush()
        if self.out.isatty():
            self.out.write("\r\x1b[K")


def main(argv: Sequence[str] | None = None) -> int:
    """Give the tour; the options are in ``--help``."""
    parser = argparse.ArgumentParser(prog="python -m aerospike_py.tour",
                                     description="A tour of the client, on a local server.")
    parser.add_argument("--records", type=int, default=5000, metavar="N",
                        help="how many in the chapter of many (%(default)s)")
    options = parser.parse_args(argv)
    if options.records < 20:
        parser.error("--records must be at least 20")
    with LocalServer() as server:
        tour = Tour(server, sys.stdout, options.records)
        title = f"aerospike_py {aerospike.__version__}: a guided tour"
        tour.say(f"\n     {tour.ink(title, '1;36')}")
        tour.say(f"     on a local server at {':'.join(map(str, server.hosts[0]))}")
        tour.run()
    python = sys.executable
    if python.startswith(os.getcwd() + os.sep):
        python = os.path.relpath(python)
    tour.say("\n" + textwrap.indent(FAREWELL.replace("{python}", python), INDENT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
