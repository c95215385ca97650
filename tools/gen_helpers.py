"""Generate the modules of helpers from the rows in tools/helpers/*.toml.

The form of the rows is in tools/helpers/README.md. ``--check`` writes nothing and fails when a
file is stale.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import tomllib
from helper_expressions import Node, base_nodes, expression_module, expression_package, family_nodes
from helper_rows import (
    EXPRESSIONS,
    MARK,
    TYPES,
    Docs,
    Param,
    Signature,
    dict_lines,
    docstring,
    header,
    imports_for,
    parameter_rows,
    read_params,
    sought,
    ticks,
)
from source import ROOT, WIDTH, all_list, wrap_call, write_files

ROWS = ROOT / "tools" / "helpers"
PACKAGE = ROOT / "aerospike_py"

OPERATIONS = ("plain", "list", "map", "bit", "hll", "string", "expression")
# ---- operations ----


def op_entries(params: list[Param]) -> tuple[list[tuple[str, str]], list[str]]:
    """Entries that are always there, and statements for the others."""
    entries, more = [], []
    for param in params:
        name = param.name
        if param.when == "always":
            instead = "" if param.instead is None else f"{param.instead} if {name} is None else "
            entries.append((param.entry, instead + name))
            continue
        test = {"true": name, "given": f"{name} is not None", "dropped": f"{name} is not None",
                "changed": f"{name} != {param.default}"}[param.when]
        more += [f"    if {test}:", f'        op["{param.entry}"] = {name}']
    return entries, more


def op_docs(row: dict[str, Any], signature: Signature,
            first: list[tuple[str, str, str]]) -> list[str]:
    """The docstring of an operation."""
    lines = textwrap.wrap(ticks(row["text"]), WIDTH - 8)
    lines += signature.section(first)
    gives = f"which gives {row['gives']}" if "gives" in row else "which gives nothing for it"
    lines += ["", "Returns", "-------", "dict"]
    lines += textwrap.wrap(ticks(f"For `operate` and its like, {gives}."), WIDTH - 12,
                           initial_indent="    ", subsequent_indent="    ")
    if "notes" in row:
        lines += ["", "Notes", "-----", *textwrap.wrap(ticks(row["notes"]), WIDTH - 8)]
    return lines


def op_function(name: str, code: str, row: dict[str, Any], signature: Signature,
                bin_name: str | None) -> str:
    """The source of an operation."""
    entries, more = op_entries(signature.params)
    head = [("op", code)] + ([("bin", bin_name)] if bin_name else [])
    first = []
    if bin_name:
        kind, text = signature.docs.of(bin_name)
        first = [(bin_name, TYPES[kind][1], text)]
    parts = signature.text(f"{bin_name}: str" if bin_name else "")
    lines = wrap_call(f"def {name}", parts, " -> Operation:", "")
    lines += docstring(op_docs(row, signature, first), "    ")
    if more:
        lines += dict_lines("op: Operation = ", head + entries, "    ")
        lines += [*more, "    return op"]
    else:
        lines += dict_lines("return ", head + entries, "    ")
    return "\n".join(lines)


def official_operations(stem: str, table: dict[str, Any]) -> str:
    """A module of aerospike_py.helpers.operations."""
    out, names = [], []
    for name, row in table["ops"].items():
        if "official" not in row:
            continue
        prefix = {"string": "_OP_STRING_"}.get(stem, "OP_")
        const = row.get("const", prefix + name.upper())
        docs = Docs([row.get("docs", {}), sought(name, table), table["params"]])
        signature = Signature(read_params(row["official"]), docs)
        bin_name = None if row.get("no_bin") else "bin_name"
        out.append(op_function(name, f"n.{const}", row, signature, bin_name))
        names.append(name)
    body = "\n\n\n".join(out)
    lines = header(stem, f"Operations on {table['title']}.")
    lines += imports_for(body, [("Mapping", "from collections.abc import")])
    lines += imports_for(body, [("Any", "from typing import")])
    lines += [""] if lines[-1] else []
    lines += ["from aerospike_py.types import Operation", "", "from .._numbers import numbers as n"]
    lines += imports_for(body, [("Ctx", "from ..cdt_ctx import")])
    lines += imports_for(body, [(x, "from ..string_helpers import") for x in
                                ("NumericType", "RegexFlags", "StringPolicy")])
    return "\n".join([*lines, "", *all_list(names), "", "", body, ""])


def main_operations(stem: str, table: dict[str, Any]) -> str:
    """A module of the main face, in the shape of the Rust package."""
    rows = {n: r for n, r in table["ops"].items() if "rust" in r}
    out = []
    for name, row in rows.items():
        params = read_params(row["rust"])
        if stem in ("list", "map"):
            if "inverted" in row.get("official", ""):
                params.append(Param("inverted", "False", "true", entry="inverted",
                                    keyword_only=True))
            params.append(Param("ctx", "None", "given", entry="ctx", keyword_only=True))
        docs = Docs([table.get("main", {}), row.get("docs", {}), sought(name, table),
                     table["params"]])
        out.append(op_function(name, f"_OP_{name.upper()}", row, Signature(params, docs), "bin"))
    body = "\n\n\n".join(out)
    lines = header(stem, f"Operations on {table['title']}, for ``operate`` and its like.")
    lines += imports_for(body, [("Mapping", "from collections.abc import")])
    lines += imports_for(body, [("Any", "from typing import")])
    lines += [""] if lines[-1] else []
    lines += imports_for(body, [("Ctx", "from .helpers.cdt_ctx import")])
    lines += ["from .types import Operation", "", *all_list(list(rows)), ""]
    lines += [f"_OP_{name.upper()} = {row['number']}"
              for name, row in sorted(rows.items(), key=lambda item: item[1]["number"])]
    return "\n".join([*lines, "", "", body, ""])


# ---- aerospike_py.exp ----


def exp_rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Every row that has a builder, in order."""
    found = []
    for part in ("exp", *EXPRESSIONS):
        found += [row for row in table[part].values() if "exp" in row]
    return found


def exp_function(row: dict[str, Any], params: dict[str, Any]) -> tuple[str, str]:
    """Name and source of a builder."""
    head, _, into = row["exp"].partition(" => ")
    name, *tokens = head.split()
    op = name.rstrip("_")
    own = {k: v for k, v in row.get("docs", {}).items() if isinstance(v, list)}
    fields = {"name": ["str", "The bin."]} if "bin" in name else {}
    operand = ["expression", "An operand."]
    names = [t.partition(":")[0].lstrip("*") for t in tokens]
    docs = []
    for param in names:
        kind, text = own.get(param) or fields.get(param) or params.get(param, operand)
        if kind in ("operand", "number operand"):
            kind = "expression"
        docs.append((param, kind, text))
    variadic = bool(tokens) and tokens[0].startswith("*")
    parts = ([f"*{names[0]}: Expr"] if variadic else
             [f"{param}: {TYPES[kind][0]}" for param, kind, _ in docs])
    lines = wrap_call(f"def {name}", parts, " -> Expr:", "")
    text = textwrap.wrap(ticks(row["text"]), WIDTH - 8)
    text += parameter_rows([("*" + p if variadic else p, TYPES[k][1], t) for p, k, t in docs])
    lines += docstring(text, "    ")
    entries = [("__expr__", f'"{op}"')]
    if variadic:
        entries.append(("exprs", f"list({names[0]})"))
    elif into:
        entries.append((into, f"[{', '.join(names)}]"))
    else:
        entries += [((t.partition(":")[2] or p), p) for t, p in zip(tokens, names, strict=True)]
    return name, "\n".join(lines + dict_lines("return ", entries, "    "))


EXP_HEAD = '''
Expr = dict[str, Any]

EXP_TYPE_NIL = 0
EXP_TYPE_BOOL = 1
EXP_TYPE_INT = 2
EXP_TYPE_STRING = 3
EXP_TYPE_LIST = 4
EXP_TYPE_MAP = 5
EXP_TYPE_BLOB = 6
EXP_TYPE_FLOAT = 7
EXP_TYPE_GEO = 8
EXP_TYPE_HLL = 9
'''

EXP_CMD = '''
def _cmd(op: str, **fields: Any) -> Expr:
    """A node by its name; an unknown one is a ValueError."""
    if op not in _OPS:
        raise ValueError(f"Unknown expression op {op!r}")
    return {"__expr__": op, **fields}
'''

EXP_COMPILE = '''
def compile(expression: Any) -> Expression:
    """Make the bytes of an expression, once for all commands that take it.

    Parameters
    ----------
    expression : dict, expression of the helpers, or list
        In any of the forms that ``policy["filter_expression"]`` takes.

    Returns
    -------
    Expression
        Taken wherever the dict is. It does not change, can be a key of a dict and be pickled.

    Raises
    ------
    ParamError
        Code -2, also a ValueError or TypeError: it is no expression; the text says where.
    """
    return _aerospike.compile_expression(expression)


def from_base64(text: str) -> Expression:
    """Make an expression of the text that ``Expression.to_base64()`` gave.

    Parameters
    ----------
    text : str
        Base64.

    Returns
    -------
    Expression

    Raises
    ------
    ParamError
        Code -2, also a ValueError: it is no base64, or not of one expression.
    """
    return Expression(text)
'''


def exp_module(table: dict[str, Any]) -> str:
    """aerospike_py.exp."""
    functions = [exp_function(row, table["params"]) for row in exp_rows(table)]
    names = [name for name, _ in functions]
    types = re.findall(r"^(EXP_TYPE_\w+)", EXP_HEAD, flags=re.M)
    body = "\n\n\n".join(source for _, source in functions)
    lines = header("exp", 'Filter expressions as plain dicts, for ``policy["filter_expression"]``.')
    lines += imports_for(body, [("Mapping", "from collections.abc import")])
    lines += ["from typing import Any", "", "from aerospike_py import _aerospike",
              "from aerospike_py._aerospike import Expression", "",
              *all_list([*names, *types, "Expression", "compile", "from_base64"]), EXP_HEAD]
    ops = textwrap.wrap(" ".join(name.rstrip("_") for name in names), WIDTH - 4)
    lines += ['_OPS = frozenset("""', *[f"    {line}" for line in ops], '""".split())', ""]
    return "\n".join([*lines, EXP_CMD, EXP_COMPILE, "", body, ""])


def strict_stub(module: str) -> str:
    """The stub of a module of the strict face's helpers: it is as the main face's."""
    path = f"aerospike_py.helpers.{module}"
    lines = [f'"""As {path}."""', "", MARK.format("*"), f"from {path} import *"]
    if module not in ("batch", "operations"):
        lines.append(f"from {path} import __all__ as __all__")
    return "\n".join([*lines, ""])


# ---- files ----


#: Written by hand, and so part of the strict face's helpers as well.
SHARED = ("batch", "batch.records", "cdt_ctx", "expressions", "expressions.resources", "metrics",
          "operations", "string_helpers")


def strict_path(module: str) -> Path:
    """Where the stub of a module of the strict face's helpers is."""
    path = PACKAGE.joinpath("official", "helpers", *module.split("."))
    is_package = module in ("batch", "expressions", "operations")
    return path / "__init__.pyi" if is_package else path.with_suffix(".pyi")


def make_files() -> dict[Path, str]:
    """All files with their text."""
    files: dict[Path, str] = {}
    helpers = PACKAGE / "helpers"
    modules: dict[str, list[Node]] = {}
    for stem in OPERATIONS:
        table = tomllib.loads((ROWS / f"{stem}.toml").read_text())
        files[helpers / "operations" / f"{table['module']}.py"] = official_operations(stem, table)
        if any("rust" in row for row in table["ops"].values()):
            name = table.get("main_module", table["module"])
            files[PACKAGE / f"{name}.py"] = main_operations(stem, table)
        if "expressions" in table:
            nodes = modules[table["expressions"]] = family_nodes(stem, table)
            files[helpers / "expressions" / f"{table['expressions']}.py"] = expression_module(
                stem, table["title"], nodes, stem, table["bin"])
    table = tomllib.loads((ROWS / "exp.toml").read_text())
    titles = {"base": "bins, records, comparisons, logic, variables and paths",
              "arithmetic": "numbers", "bitwise_operators": "bits of integers"}
    for part in EXPRESSIONS:
        modules[part] = base_nodes(part, table)
        files[helpers / "expressions" / f"{part}.py"] = expression_module(
            part, titles[part], modules[part], "exp")
    files[PACKAGE / "exp.py"] = exp_module(table)
    files[helpers / "expressions" / "__init__.py"] = expression_package(modules)
    made = [path.relative_to(helpers).with_suffix("").parts for path in files
            if path.is_relative_to(helpers) and path.name != "__init__.py"]
    for module in (*SHARED, *[".".join(parts) for parts in made]):
        files[strict_path(module)] = strict_stub(module)
    return files


if __name__ == "__main__":
    sys.exit(write_files(make_files(), sys.argv[1:]))
