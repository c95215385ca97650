"""Operations along paths: the model walks the tree level by level."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

from aerospike_py.helpers import cdt_ctx, expressions as e
from aerospike_py.helpers.operations import expression_operations, operations

from .exps import UnknownError, wrap
from .values import (
    MISSING,
    NOTHING,
    SILENT,
    Fail,
    L,
    M,
    key,
    map_key,
    map_value,
    same,
    scalar,
    sought,
    to_python,
    value,
)

TREE, VALUES, KEYS, KEYS_VALUES, MODIFY = range(5)
NO_FAIL = 16
LOOP_KEY, LOOP_VALUE, LOOP_INDEX = range(3)
REMOVED = object()

#: (key or None, value, index or None) of an entry to a value, or UnknownError.
See = Callable[[tuple[Any, Any, Any]], Any]
Node = tuple[Any, See]


# ---- expressions over an entry ----


def variable(part: int, kind: type, make: Any) -> Node:
    """A loop variable; it is unknown where its part is absent or of another type."""
    def see(entry: tuple[Any, Any, Any]) -> Any:
        found = entry[part]
        if type(found) is not kind:
            raise UnknownError
        return found

    return make(part), see


def number(r: Random) -> Node:
    return variable(r.choice([LOOP_VALUE, LOOP_VALUE, LOOP_KEY, LOOP_INDEX]), int, e.LoopVarInt)


def text(r: Random) -> Node:
    return variable(r.choice([LOOP_VALUE, LOOP_KEY]), str, e.LoopVarStr)


def inner(r: Random) -> Node:
    """How many entries a list or map has that stands there."""
    if r.random() < 0.5:
        made, see = variable(LOOP_VALUE, L, e.LoopVarList)
        return e.ListSize(None, made), lambda entry: len(see(entry).items)
    made, see = variable(LOOP_VALUE, M, e.LoopVarMap)
    return e.MapSize(None, made), lambda entry: len(see(entry).pairs)


COMPARISONS = [(e.GT, operator.gt), (e.LT, operator.lt), (e.GE, operator.ge),
               (e.NE, operator.ne), (e.Eq, operator.eq)]


def condition(r: Random) -> Node:
    """True or false of an entry, or unknown."""
    how = r.randrange(8)
    if how < 5:
        made, run = (number if how < 4 else inner)(r)
        literal: Any = r.randint(-2, 6)
    else:
        made, run = text(r)
        literal = r.choice(["", "a", "b", "c"])
    compare, decide = r.choice(COMPARISONS)
    return compare(made, literal), lambda entry: decide(run(entry), literal)


def replacement(r: Random) -> Node:
    """What an entry becomes."""
    how = r.randrange(7)
    if how == 0:
        return e.RemoveResult(), lambda entry: REMOVED
    if how == 1:
        made, run = number(r)
        return e.Add(made, 7), lambda entry: wrap(run(entry) + 7)
    if how == 2:
        return text(r)
    if how == 3:
        return inner(r)
    if how == 4:
        made, run = condition(r)
        return e.Cond(made, e.Val(1), e.Val(0)), lambda entry: int(run(entry))
    if how == 5:
        made, run = variable(LOOP_VALUE, L, e.LoopVarList)
        return (e.ListAppend(None, None, 5, made),
                lambda entry: L([*run(entry).items, 5], run(entry).ordered))
    new = r.choice([1, "new", 2.5, b"new", True])
    return e.Val(new), lambda entry: new


# ---- steps ----


class Step:
    """One level: which entries are taken."""

    def __init__(self, wire: Any, fits: tuple[type, ...], takes: Any, told: str) -> None:
        self.wire = [wire]
        self.fits = fits
        self.takes = takes  # of a container's entries: a function of an entry and its place
        self.told = told
        self.narrow: See | None = None

    def __repr__(self) -> str:
        return self.told


def by_filter(r: Random) -> Step:
    made, run = condition(r)
    return Step(cdt_ctx.cdt_ctx_all_children_with_filter(made.compile()), (L, M),
                lambda entries: lambda entry, at: run(entry), f"filter {made.compile()}")


def all_children(r: Random) -> Step:
    return Step(cdt_ctx.cdt_ctx_all_children(), (L, M),
                lambda entries: lambda entry, at: True, "all")


def differ(held: Any) -> bool:
    """Whether no two values are equal: which of those has a rank is not said."""
    values = sorted((v for _, v, _ in entries_of(held)), key=key) if is_tree(held) else []
    return not any(same(a, b) for a, b in pairwise(values))


def by_place(r: Random, held: Any, top: bool) -> Step:
    """By index, or by rank on the top level: below, a server 8.1.2 loses its place."""
    n = len(entries_of(held)) if is_tree(held) else 3
    place = r.randint(-n - 1, n)
    family, kind = ("map", M) if isinstance(held, M) else ("list", L)
    by_rank = top and r.random() < 0.3 and differ(held)
    if family == "map" and not top:
        return by_value(r, held)

    def takes(entries: list[tuple[Any, Any, Any]]) -> Any:
        order = list(range(len(entries)))
        if by_rank:
            order.sort(key=lambda i: (key(entries[i][1]), i))
        wanted = order[place] if -len(order) <= place < len(order) else -1
        return lambda entry, at: at == wanted

    name = f"cdt_ctx_{family}_{'rank' if by_rank else 'index'}"
    return Step(getattr(cdt_ctx, name)(place), (kind,), takes, f"{name} {place}")


def by_value(r: Random, held: Any) -> Step:
    wanted = sought(r, held) if is_tree(held) else value(r)
    family, kind = ("map", M) if isinstance(held, M) else ("list", L)
    wire = getattr(cdt_ctx, f"cdt_ctx_{family}_value")(to_python(wanted))
    return Step(wire, (kind,), lambda entries: lambda entry, at: same(entry[1], wanted),
                f"{family} value {wanted!r}")


def by_key(r: Random, held: Any) -> Step:
    known = [k for k, _ in held.pairs] if isinstance(held, M) else []

    def a_key() -> Any:
        return r.choice(known) if known and r.random() < 0.8 else map_key(r)

    if r.random() < 0.5:
        wanted = [a_key()]
        wire = cdt_ctx.cdt_ctx_map_key(wanted[0])
    else:
        wanted = [a_key() for _ in range(r.randint(0, 4))]
        wire = cdt_ctx.cdt_ctx_map_keys_in(wanted)
    return Step(wire, (M,), lambda entries: lambda entry, at: any(same(entry[0], k)
                                                                  for k in wanted),
                f"keys {wanted!r}")


def draw_step(r: Random, held: Any, top: bool) -> Step:
    roll = r.random()
    if roll < 0.35:
        return all_children(r)
    if roll < 0.6:
        return by_filter(r)
    if isinstance(held, M) and roll < 0.8:
        step = by_key(r, held)
    else:
        step = by_place(r, held, top) if roll < 0.9 else by_value(r, held)
    # What narrows an entry of a map by its place reads beyond the map on a server 8.1.2
    if r.random() < 0.2 and not step.told.startswith(("cdt_ctx_map_index", "cdt_ctx_map_rank")):
        made, run = condition(r)
        step.wire.append(cdt_ctx.cdt_ctx_and_filter(made.compile()))
        step.narrow = run
        step.told += f" and {made.compile()}"
    return step


# ---- the walk ----


def is_tree(held: Any) -> bool:
    return isinstance(held, (L, M))


def entries_of(held: Any) -> list[tuple[Any, Any, Any]]:
    if isinstance(held, M):
        return [(k, v, None) for k, v in held.pairs]
    return [(None, v, i) for i, v in enumerate(held.items)]


class Walk:
    """One request on one tree."""

    def __init__(self, steps: list[Step], mode: int, no_fail: bool, change: See | None) -> None:
        self.steps = steps
        self.mode = mode
        self.no_fail = no_fail
        self.change = change
        self.found: list[Any] = []

    def is_taken(self, step: Step, takes: Any, entry: tuple[Any, Any, Any], at: int) -> bool:
        try:
            return bool(takes(entry, at) and (step.narrow is None or step.narrow(entry)))
        except UnknownError:
            # A place is not lost by what narrows it
            if self.no_fail or "index" in step.told or "rank" in step.told:
                return False
            raise Fail(4) from None

    def leaf(self, entry: tuple[Any, Any, Any]) -> Any:
        """What stays of a taken entry of the last level."""
        if self.mode == MODIFY:
            assert self.change is not None
            try:
                return self.change(entry)
            except UnknownError:
                if self.no_fail:
                    return entry[1]
                raise Fail(1) from None
        if self.mode in (KEYS, KEYS_VALUES):
            self.found.append(entry[0])
        if self.mode in (VALUES, KEYS_VALUES):
            self.found.append(entry[1])
        return entry[1]

    def level(self, held: Any, depth: int) -> Any:
        """The container with what is left of it."""
        step = self.steps[depth]
        last = depth + 1 == len(self.steps)
        entries = entries_of(held)
        if last and self.mode in (KEYS, KEYS_VALUES) and isinstance(held, L) and (
                entries or held.ordered):
            if self.no_fail:
                return held
            raise Fail(12)
        if not entries:
            return held
        if type(held) not in step.fits:
            raise Fail(4)
        takes = step.takes(entries)
        left = []
        for at, entry in enumerate(entries):
            if not self.is_taken(step, takes, entry, at):
                if self.mode == MODIFY:
                    left.append((entry[0], entry[1]))
                continue
            if last:
                new = self.leaf(entry)
            elif is_tree(entry[1]):
                new = self.level(entry[1], depth + 1)
            else:
                new = entry[1]
            if new is not REMOVED:
                left.append((entry[0], new))
        keeps = self.mode == MODIFY
        if isinstance(held, M):
            return M(left, held.order if keeps else 0)
        return L([v for _, v in left], held.ordered and keeps)


# ---- drawing ----


def deepest(held: Any) -> int:
    if not is_tree(held):
        return 0
    return 1 + max((deepest(v) for _, v, _ in entries_of(held)), default=0)


def draw_steps(r: Random, held: Any) -> list[Step]:
    steps: list[Step] = []
    for depth in range(r.randint(1, max(1, min(deepest(held), 3)))):
        steps.append(draw_step(r, held, depth == 0))
        inside = [v for _, v, _ in entries_of(held)] if is_tree(held) else []
        deeper = [v for v in inside if is_tree(v)]
        held = r.choice(deeper) if deeper else r.choice(inside) if inside else 5
    return steps


def has_long(held: Any) -> bool:
    """Whether a string of over 31 bytes is in it: written back, it ends a server 8.1.2."""
    if is_tree(held):
        return any(has_long(v) for _, v, _ in entries_of(held))
    return type(held) is str and len(held.encode()) > 31


def draw_tree(r: Random) -> Any:
    while True:
        made = (L([value(r, 3) for _ in range(r.randint(0, 5))]) if r.random() < 0.5
                else map_value(r, 3))
        if not has_long(made):
            return made


def start(r: Random) -> Any:
    roll = r.random()
    if roll < 0.04:
        return MISSING
    if roll < 0.08:
        held = scalar(r)
        return MISSING if held is None else held
    return draw_tree(r)


def fresh(r: Random) -> tuple[str, dict[str, Any], Any]:
    """The bin is written anew: trees become poor by what is removed from them."""
    new = draw_tree(r)

    def run(bins: dict[str, Any]) -> Any:
        bins["b"] = new
        return SILENT

    return f"write {new!r}", operations.write("b", to_python(new)), run


def draw(r: Random, bins: dict[str, Any]) -> tuple[str, dict[str, Any], Any]:
    held = bins.get("b", MISSING)
    if r.random() < 0.15:
        return fresh(r)
    steps = draw_steps(r, held)
    mode = r.choice([TREE, VALUES, VALUES, KEYS, KEYS_VALUES, MODIFY, MODIFY])
    no_fail = r.random() < 0.5
    ctx = [wire for step in steps for wire in step.wire]
    flags = NO_FAIL if no_fail else 0
    change = None
    told = f"path {steps!r} mode {mode}{' no fail' * no_fail}"
    if mode == MODIFY:
        made, change = replacement(r)
        op = operations.modify_by_path("b", ctx, made.compile(), flags)
        told += f" {made.compile()}"
    elif r.random() < 0.2 and is_tree(held):
        bin_class, kind = ((e.ListBin, e.ResultType.LIST) if isinstance(held, L)
                           else (e.MapBin, e.ResultType.MAP))
        its = kind if mode == TREE else e.ResultType.LIST
        tree = e.SelectByPath(ctx, its, mode | flags, bin_class("b"))
        op = expression_operations.expression_read("b", tree.compile())
        told = f"expression of {told}"
    else:
        op = operations.select_by_path("b", ctx, mode | flags)

    def run(bins: dict[str, Any]) -> Any:
        if held is MISSING:
            if mode == MODIFY:
                raise Fail(12)
            return NOTHING
        if not is_tree(held):
            raise Fail(12)
        walk = Walk(steps, mode, no_fail, change)
        try:
            left = walk.level(held, 0)
        except Fail:
            if told.startswith("expression"):
                raise Fail(26) from None
            raise
        if mode == MODIFY:
            bins["b"] = left
            return NOTHING
        return left if mode == TREE else L(walk.found)

    return told, op, run
