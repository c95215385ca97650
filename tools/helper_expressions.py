"""Source of the expression classes, for tools/gen_helpers.py."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import Any

from helper_rows import (
    EXPRESSIONS,
    MARK,
    NO_OPERANDS,
    TYPES,
    Docs,
    Param,
    Signature,
    docstring,
    header,
    import_lines,
    imports_for,
    parameter_rows,
    read_param,
    read_params,
    sought,
    ticks,
)
from source import WIDTH, all_list, sort_key, wrap_call


@dataclass
class Node:
    """An expression class."""

    name: str
    text: str
    params: list[Param]
    const: str
    result: str | None
    docs: Docs
    variadic: Param | None = None
    parent: str = "_BaseExpr"
    bin_class: str = ""
    notes: list[str] = field(default_factory=list)


def constant_of(name: str, stem: str) -> str:
    """The constant of a class by its name: ListGetByIndex is OP_LIST_GET_BY_INDEX."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).upper()
    return {"string": "_OP_STRING_"}.get(stem, "OP_") + words


def read_node(name: str, sig: str, text: str, docs: Docs, stem: str, **more: Any) -> Node:
    """A class from its signature."""
    sig, _, code = sig.partition("@")
    const, _, result = code.partition(" ")
    tokens = sig.split()
    variadic = None
    if tokens and tokens[0].startswith("*"):
        variadic = read_param(tokens[0][1:])
        tokens = []
    return Node(name, text, read_params(" ".join(tokens)), const.strip() or constant_of(name, stem),
                result.strip() or None, docs, variadic, **more)


def node_code(const: str, stem: str) -> str:
    if const.startswith(("OP_", "_OP_")) or (stem not in EXPRESSIONS and const.startswith("_AS_")):
        return f"n.{const}"
    if const.startswith("_AS_") and const != "_AS_EXP_CODE_AS_VAL":
        return f"n.{const}"
    return f"_ExprOp.{const}"


POLICY_CHILD = {
    "list_crmod": ("list_policy", "_AS_EXP_CODE_CDT_LIST_CRMOD"),
    "list_mod": ("list_policy", "_AS_EXP_CODE_CDT_LIST_MOD"),
    "map_crmod": ("map_policy", "_AS_EXP_CODE_CDT_MAP_CRMOD"),
}


def node_fixed(node: Node) -> str | None:
    """The entries of the node, as source."""
    names = {p.name for p in node.params}
    entries = []
    for p in node.params:
        if p.kind in ("fixed", "snip"):
            entries.append(f'"{p.entry}": {p.name}')
        elif p.name == "value_type":
            entries.append('"value_type": value_type')
        elif p.name == "return_type":
            value = "_select(return_type, inverted)" if "inverted" in names else "return_type"
            entries.append(f'"return_type": {value}')
        elif p.name == "inverted" and "return_type" not in names:
            entries.append('"return_type": _select(0, inverted)')
        elif p.kind in POLICY_CHILD:
            entries.append(f'**_given("{POLICY_CHILD[p.kind][0]}", policy)')
        elif p.kind == "join":
            entries.append('**({"separator": separator} if separator else {})')
    if "ctx" in names and not any(p.name == "ctx" and p.kind for p in node.params):
        entries.append('**_given("ctx", ctx)')
    return "{" + ", ".join(entries) + "}" if entries else None


def node_children(node: Node) -> list[str]:
    """The operands of the node, as source."""
    operands, policy, flags, last = [], [], [], []
    for p in node.params:
        if p.kind == "bin":
            last.append(f"_bin({node.bin_class}, {p.name})")
        elif p.kind in POLICY_CHILD:
            entry, code = POLICY_CHILD[p.kind]
            policy.append(f'_policy(_ExprOp.{code}, "{entry}", policy)')
        elif p.kind == "bit":
            policy.append('_flags(_policy_flags(policy, "bit_write_flags"))')
        elif p.kind == "hll":
            policy.append('_policy_flags(policy, "flags")')
        elif p.kind == "flags":
            flags.append(f"_flags({p.name} or 0)")
        elif p.kind == "truth":
            operands.append(f"1 if {p.name} else 0")
        elif p.kind == "open":
            operands.append(f"CDTInfinite() if {p.name} is None else {p.name}")
        elif p.kind == "bits":
            operands.append(f"-1 if {p.name} is None else {p.name}")
        elif not p.kind and p.name not in NO_OPERANDS:
            operands.append(p.name)
    return operands + policy + flags + last


def node_special(node: Node) -> list[str]:
    """Codes that depend on what is given."""
    special = {"ListJoin": ("separator", "n._OP_LIST_JOIN_SEPARATOR"),
               "Snip": ("end is None", "n._OP_STRING_SNIP_START"),
               "BitB64Encode": ("byte_size is not None", "n._OP_BIT_B64_ENCODE_RANGE")}
    if node.name not in special:
        return []
    test, code = special[node.name]
    return [f"        if {test}:", f"            self._op = {code}"]


def node_range(children: list[str]) -> list[str]:
    """The operands of BitB64Encode, some of which go together."""
    return [f"        operands: tuple[Any, ...] = ({children[-1]},)",
            "        if byte_size is not None:",
            "            operands = (byte_offset, byte_size, 1 if invert_size else 0, *operands)",
            "        self._children = operands"]


def node_body(node: Node) -> list[str]:
    """The constructor."""
    if node.parent != "_BaseExpr" or (not node.params and node.variadic is None):
        return []
    signature = Signature(node.params, node.docs, operands=True)
    if node.variadic is not None:
        end = "" if node.variadic.kind == "open" else ", _END"
        children = f"exprs{end}".replace("exprs", f"*{node.variadic.name}")
        return ["", f"    def __init__(self, *{node.variadic.name}: Any) -> None:",
                f"        self._children = ({children}{',' if not end else ''})"]
    lines = ["", *wrap_call("def __init__", signature.text("self"), " -> None:", "    ")]
    lines += node_special(node)
    fixed = node_fixed(node)
    if fixed is not None:
        lines += break_assignment("self._fixed = ", fixed)
    children = node_children(node)
    if node.name == "BitB64Encode":
        lines += node_range(children)
    elif children:
        body = ", ".join(children) + ("," if len(children) == 1 else "")
        lines += break_assignment("self._children = ", f"({body})")
    return lines


def break_assignment(head: str, value: str) -> list[str]:
    """An assignment of a display, broken behind commas between its items."""
    line = f"        {head}{value}"
    if len(line) <= WIDTH:
        return [line]
    items, depth, start = [], 0, 1
    for i, c in enumerate(value):
        depth += c in "([{"
        depth -= c in ")]}"
        if c == "," and depth == 1:
            items.append(value[start:i + 1].strip())
            start = i + 1
    items.append(value[start:].strip())
    lines, inside = [f"        {head}{value[0]}"], " " * (9 + len(head))
    for item in items:
        if len(lines[-1]) + len(item) + 1 > WIDTH and not lines[-1].endswith(value[0]):
            lines.append(inside + item)
        else:
            lines[-1] += item if lines[-1].endswith(value[0]) else " " + item
    return lines


def node_class(node: Node, stem: str) -> str:
    """The source of a class."""
    lines = [f"class {node.name}({node.parent}):"]
    text = textwrap.wrap(ticks(node.text), WIDTH - 8)
    signature = Signature(node.params, node.docs, operands=True)
    if node.variadic is not None:
        kind, about = node.docs.of(node.variadic.name)
        text += parameter_rows([(f"*{node.variadic.name}", TYPES[kind][1], about)])
    else:
        text += signature.section([])
    if node.notes:
        text += ["", "Notes", "-----", *node.notes]
    lines += docstring(text, "    ")
    lines += ["", f"    _op = {node_code(node.const, stem)}"]
    if node.result is not None:
        lines.append(f"    _rt = ResultType.{node.result}")
    return "\n".join(lines + node_body(node))


def family_nodes(stem: str, table: dict[str, Any]) -> list[Node]:
    """The classes of a family of operations."""
    found = []
    for op, row in table["ops"].items():
        for name, sig in row.get("expr", {}).items():
            docs = Docs([table.get("operands", {}), row.get("docs", {}), sought(op, table),
                         table["params"]])
            text = row["text"]
            if name.endswith("ToEnd") and "ToEnd" not in sig:
                text = text.replace(" from a ", " to the end from a ")
            found.append(read_node(name, sig, text, docs, stem, bin_class=table["bin"]))
    for name, row in table.get("exprs", {}).items():
        docs = Docs([table.get("operands", {}), row.get("docs", {}), table["params"]])
        found.append(read_node(name, row["sig"], row["text"], docs, stem,
                               bin_class=table["bin"]))
    return found


def base_nodes(part: str, table: dict[str, Any]) -> list[Node]:
    """The classes of one of the general modules."""
    return [read_node(name, row["sig"], row["text"], Docs([row.get("docs", {}), table["params"]]),
                      part, parent=row.get("parent", "_BaseExpr"))
            for name, row in table[part].items()]


def expression_module(stem: str, title: str, nodes: list[Node], origin: str,
                      bin_class: str = "") -> str:
    """A module of aerospike_py.helpers.expressions."""
    body = "\n\n\n".join(node_class(node, stem) for node in nodes)
    lines = header(origin, f"Expressions: {title}.")
    lines += imports_for(body, [("Mapping", "from collections.abc import")])
    lines += imports_for(body, [("Any", "from typing import")])
    lines += [""] if lines[-1] else []
    lines += imports_for(body, [("CDTInfinite", "from aerospike_py._values import")])
    lines += [""] if lines[-1] else []
    if "n._" in body or "n.OP" in body:
        lines.append("from .._numbers import numbers as n")
    lines += imports_for(body, [("Ctx", "from ..cdt_ctx import")])
    lines += imports_for(body, [(x, "from ..string_helpers import") for x in
                                ("NumericType", "RegexFlags", "StringPolicy")])
    if bin_class:
        lines.append(f"from .base import {bin_class}")
    shared = ("BinArg", "ResultType", "_BaseExpr", "_END", "_ExprOp", "_GenericExpr", "_bin",
              "_flags", "_given", "_policy", "_policy_flags", "_select")
    used = [name for name in shared if re.search(rf"(?<![.\w]){name}\b(?!`)", body)]
    lines += import_lines("from .resources import ", sorted(used, key=sort_key))
    names = [node.name for node in nodes]
    return "\n".join([*lines, "", *all_list(names), "", "", body, ""])


#: What the official package of expressions lets be seen besides its own.
STRING_CLASSES = ("NumericType", "RegexFlags", "StringPolicy")


def expression_package(modules: dict[str, list[Node]]) -> str:
    """aerospike_py.helpers.expressions itself."""
    lines = ['"""Expressions: filters, values of operations, keys of indexes.', "",
             "An expression is a tree of objects; ``compile()`` gives the list that policies and",
             'operations take.', '"""', "", MARK.format("*"),
             "from __future__ import annotations", "",
             "from ..string_helpers import (",
             *[f"    {name} as {name}," for name in STRING_CLASSES], ")",
             "from . import resources as resources"]
    stars = [f"from .{name} import *" for name in modules]
    lines += [*sorted([*stars, "from .resources import ResultType, ReturnType as ReturnType"]), ""]
    names = [node.name for nodes in modules.values() for node in nodes]
    return "\n".join([*lines, *all_list([*names, "ResultType"]), ""])
