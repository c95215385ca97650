"""Generate what follows from the rows in src/python/methods/*.toml.

A row is a table named like the method:

``sig``
    parameters as Python writes them; ``name|alias`` accepts both as keywords;
``official``
    the same for the strict face, where names or positions differ; without it, the aliases
    are its names.  ``"*"``: it takes any arguments there, and looks at none;
``types``, ``returns``
    annotations for the stubs, in the order of the parameters;
``plain``
    it asks nobody: the asynchronous client has it as an ordinary method, and
    C provides ``plain_<name>``; else C provides ``build_<name>``;
``measured``
    as what its time is counted; without it, it is not;
``custom``
    C provides the methods of both clients by hand;
``data``
    it is a data operation, counted by ``max_concurrent_operations``; by default those of
    the files that are not administrative;
``async``
    whether the asynchronous form is a coroutine function, where that does not
    follow from ``plain`` and ``custom``;
``returns_async``
    what the asynchronous form returns, where that differs;
``doc``
    the docstring, NumPy style.

Rows in src/python/methods/types/*.toml are methods of further objects: a table
named ``Query.where`` is the method of that type, one named ``select`` of all
types of the file.

Written: src/python/methods.inc and query_methods.inc (rows for C), methods.h
and aerospike_py/_aerospike.pyi.
``--check`` writes nothing and fails when a file is stale.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import tomllib
from source import ROOT, wrap_call, write_files

SOURCE = ROOT / "src" / "python" / "methods"
TABLES = ROOT / "include" / "aero" / "wire" / "tables"
#: Files whose methods do not count among the data operations that a client may limit.
ADMINISTRATIVE = ("cluster", "admin", "udf", "index", "txn", "metrics")
ORDER = ("cluster", "single", "admin", "batch", "query", "udf", "index", "txn", "metrics")


@dataclass
class Param:
    """One parameter of a method."""

    name: str
    alias: str | None
    default: str | None
    annotation: str

    @property
    def shown(self) -> str:
        """With its default."""
        return self.name if self.default is None else f"{self.name}={self.default}"

    @property
    def typed(self) -> str:
        """With its annotation, and its default."""
        text = f"{self.name}: {self.annotation}"
        return text if self.default is None else f"{text} = {self.default}"


@dataclass
class Method:
    """One row."""

    name: str
    params: list[Param]
    official: list[Param]
    returns: str
    doc: str
    plain: bool
    custom: bool
    data: bool
    any_official: bool = False
    owner: str = ""
    returns_async: str = ""
    is_async: bool = True
    measured: str = ""

    @property
    def ident(self) -> str:
        """What C calls it."""
        return f"{self.owner}_{self.name}" if self.owner else self.name


def split_types(text: str) -> list[str]:
    """Split at commas outside brackets."""
    found, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += c == "["
        depth -= c == "]"
        if c == "," and depth == 0:
            found.append(text[start:i].strip())
            start = i + 1
    return [*found, text[start:].strip()] if text.strip() else []


def read_params(sig: str, types: str) -> list[Param]:
    annotations = split_types(types)
    parts = [p.strip() for p in sig.split(",") if p.strip()]
    if annotations and len(annotations) != len(parts):
        raise SystemExit(f"{len(parts)} parameters but {len(annotations)} types: {sig}")
    params = []
    for i, part in enumerate(parts):
        names, _, default = part.partition("=")
        name, _, alias = names.partition("|")
        params.append(Param(name, alias or None, default or None,
                            annotations[i] if annotations else "Any"))
    return params


def official_param(p: Param) -> Param:
    """With its official name first."""
    return Param(p.alias, p.name, p.default, p.annotation) if p.alias else p


def read_file(path: Path) -> list[Method]:
    """The rows of one file."""
    found = []
    for title, row in tomllib.loads(path.read_text()).items():
        owner, _, name = title.rpartition(".")
        params = read_params(row["sig"], row.get("types", ""))
        any_official = row.get("official") == "*"
        official = ([] if any_official else read_params(row["official"], "")
                    if "official" in row else [official_param(p) for p in params])
        plain = row.get("plain", False)
        found.append(Method(
            name, params, official, row["returns"], row["doc"].strip() + "\n", plain,
            row.get("custom", False), row.get("data", path.stem not in ADMINISTRATIVE),
            any_official, owner,
            row.get("returns_async", row["returns"]),
            row.get("async", not plain), row.get("measured", "")))
    return found


def read_methods() -> list[Method]:
    """Methods of the clients."""
    methods = []
    known = {p.stem for p in SOURCE.glob("*.toml")}
    if known - set(ORDER):
        raise SystemExit(f"not in ORDER: {known - set(ORDER)}")
    for stem in ORDER:
        if stem in known:
            methods += read_file(SOURCE / f"{stem}.toml")
    return methods


def read_types() -> list[Method]:
    """Methods of queries and scans; those of both have ``q`` for an owner."""
    methods = read_file(SOURCE / "types" / "query.toml")
    for m in methods:
        m.owner = m.owner or "q"
    return methods


def c_text(text: str) -> str:
    lines = text.split("\n")
    quoted = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return "\n".join(f'    "{line}\\n"' for line in quoted[:-1]) or '    ""'


def c_names(params: list[Param]) -> str:
    return "{" + ", ".join([f'"{p.name}"' for p in params] + ["NULL"]) + "}"


def c_aliases(params: list[Param]) -> str:
    return "{" + ", ".join([f'"{p.alias}"' if p.alias else "NULL" for p in params]
                           + ["NULL"]) + "}"


def c_signature(method: Method, params: list[Param], first: int, takes_any: bool) -> str:
    required = sum(p.default is None for p in params)
    measured = f'"{method.measured}"' if method.measured else "NULL"
    return (f'{{"{method.name}", {first}, {len(params)}, {required},\n'
            f"     {c_names(params)},\n     {c_aliases(params)},\n"
            f"     {measured}, {str(method.data).lower()}, {str(takes_any).lower()}}}")


def text_signature(method: Method) -> str:
    shown = ", ".join(["$self", "/", *[p.shown for p in method.params]])
    return f"{method.name}({shown})\n--\n\n"


GENERATED = ("/* Generated by tools/gen_methods.py from the rows in src/python/methods.\n"
             " *\n"
             " * SPDX-License-Identifier: Apache-2.0 */\n"
             "/* clang-format off */\n")


def rows_inc(methods: list[Method], first: int) -> tuple[list[str], int]:
    """Signatures and docstrings; and where the names of the next ones begin."""
    out = []
    for m in methods:
        faces = []
        for params, takes_any in ((m.params, False), (m.official, m.any_official)):
            faces.append(c_signature(m, params, first, takes_any))
            first += 2 * len(params)
        out.append(f"static const Signature sig_{m.ident}[2] = {{\n    "
                   + ",\n    ".join(faces) + "};")
        out.append(f"static const char doc_{m.ident}[] =\n"
                   f"{c_text(text_signature(m) + m.doc)};")
    return out, first


def methods_inc(methods: list[Method], types: list[Method]) -> tuple[str, str]:
    """For the files that define the types of clients and of queries."""
    rows, first = rows_inc(methods, 0)
    more, first = rows_inc(types, first)
    end = ["/* clang-format on */", ""]
    count = [f"enum {{\n    PARAM_NAMES = {first}\n}};"]
    return "\n".join([GENERATED, *rows, *count, *end]), "\n".join([GENERATED, *more, *end])


def methods_h(methods: list[Method]) -> str:
    """The lists of names, by kind, and what C has to provide for each."""
    kinds: dict[str, list[str]] = {"CALL": [], "PLAIN": [], "CUSTOM": []}
    for m in methods:
        kinds["CUSTOM" if m.custom else "PLAIN" if m.plain else "CALL"].append(m.name)
    out = [GENERATED]
    for kind, names in kinds.items():
        out.append(f"#define METHODS_{kind}(X) \\\n    "
                   + " \\\n    ".join(f"X({n})" for n in names))
    out += ["", *[f"int build_{n}(Call *call);" for n in kinds["CALL"]],
            *[f"PyObject *plain_{n}(Client *client, PyObject *const *argv);"
              for n in kinds["PLAIN"]], "/* clang-format on */", ""]
    return "\n".join(out)


#: Names of the rows that are others in the stub, where they are not to be public.
STUB_NAMES = {"Key": "_Key", "UserKey": "_UserKey", "Operation": "_Op"}
#: What the strict face gives in place of the main face's types.
STRICT_RETURNS = {
    "Record": "tuple[Any, dict[str, int] | None, dict[str, Any]]",
    "ExistsResult": "tuple[Any, dict[str, int] | None]",
    "OperateOrderedResult": "tuple[Any, dict[str, int] | None, list[tuple[str, Any]]]",
    "list[InfoNodeResult]": "dict[str, tuple[None, str]]",
    "list[NodeName]": "list[dict[str, Any]]",
    "LazyBatchRecords": "BatchRecords",
    "BatchWriteResult": "BatchRecords",
    "UserInfo": "dict[str, Any]",
    "list[UserInfo]": "dict[str, dict[str, Any]]",
    "RoleInfo": "list[dict[str, Any]]",
    "list[RoleInfo]": "dict[str, list[dict[str, Any]]]",
    "list[Record]": "list[tuple[Any, dict[str, int] | None, dict[str, Any]]]",
    "list[ExistsResult]": "list[tuple[Any, dict[str, int] | None]]",
    "Query": "OfficialQuery",
    "Scan": "OfficialScan",
}


def stub_names(text: str) -> str:
    """An annotation of a row with the stub's names."""
    return re.sub(r"(?<!\w)[A-Z]\w+", lambda m: STUB_NAMES.get(m[0], m[0]), text)


def stub_doc(doc: str) -> list[str]:
    """The docstring, indented for a method's body."""
    lines = [f"        {line}" if line else "" for line in doc.rstrip("\n").split("\n")]
    lines[0] = f'        """{lines[0].strip()}'
    if len(lines) == 1:
        return [lines[0] + '"""']
    return [*lines, '        """']


def stub_method(m: Method, asynchronous: bool = False, strict: bool = False) -> str:
    """A method of the stub with its docstring."""
    prefix = "async def" if asynchronous and m.is_async else "def"
    returns = m.returns_async if asynchronous else m.returns
    returns = STRICT_RETURNS.get(returns, returns) if strict else returns
    parts = ["self", *[stub_names(p.typed) for p in m.params]]
    lines = wrap_call(f"{prefix} {m.name}", parts, f" -> {returns}:", "    ")
    return "\n".join([*lines, *stub_doc(m.doc), ""])


def rows_of(table: str, macro: str) -> list[list[str]]:
    text = re.sub(r"/\*.*?\*/", "", (TABLES / table).read_text(), flags=re.S)
    found = []
    for match in re.finditer(rf"^{macro}\((.*)\)\s*$", text, flags=re.M):
        found.append([part.strip() for part in
                      re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', match.group(1))])
    return found


#: Methods that a class in Python adds to the one in C.
IN_PYTHON = {"AsyncClient": {"connect", "close"}}
#: What the class in C is called, where the one in Python has the name.
IN_C = {"AsyncClient": "_AsyncClient"}


def stub_class(name: str, folder: Path, methods: list[Method]) -> list[str]:
    """A class of the stub: its file of what has no row, then the rows."""
    asynchronous, strict = name.startswith("Async"), name.startswith("Official")
    extra = (folder / f"{name}.pyi").read_text()
    own = set(re.findall(r"def (\w+)", extra)) | IN_PYTHON.get(name, set())
    return [f"class {IN_C.get(name, name)}:\n", extra,
            *[stub_method(m, asynchronous, strict) for m in methods if m.name not in own]]


def stub(methods: list[Method], types: list[Method]) -> str:
    """The stub of the extension."""
    out = [(SOURCE / "head.pyi").read_text()]
    for name in ("Client", "AsyncClient", "OfficialClient"):
        out += ["\n@disjoint_base\n", *stub_class(name, SOURCE, methods)]
    for kind in ("Query", "Scan"):
        own = [m for m in types if m.owner in ("q", kind)]
        for name in (kind, f"Async{kind}", f"Official{kind}"):
            out += ["\n@final\n", *stub_class(name, SOURCE / "types", own)]
    return "".join([*out, "\n", (SOURCE / "types" / "tail.pyi").read_text(),
                    "\n", (SOURCE / "tail.pyi").read_text()])


def make_files() -> dict[Path, str]:
    """All files with their text."""
    methods, types = read_methods(), read_types()
    clients_inc, types_inc = methods_inc(methods, types)
    return {ROOT / "src" / "python" / "methods.inc": clients_inc,
            ROOT / "src" / "python" / "query_methods.inc": types_inc,
            ROOT / "src" / "python" / "methods.h": methods_h(methods),
            ROOT / "aerospike_py" / "_aerospike.pyi": stub(methods, types)}


if __name__ == "__main__":
    sys.exit(write_files(make_files(), sys.argv[1:]))
