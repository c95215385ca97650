"""Operations on lists: the model, and random ones."""

from __future__ import annotations

import contextlib
import itertools
from random import Random
from typing import Any

from aerospike_py.helpers.operations import list_operations as ops

from .containers import (
    COUNT,
    EXISTS,
    INDEX,
    NONE,
    RANK,
    REVERSE_INDEX,
    REVERSE_RANK,
    VALUE,
    Chosen,
    Step,
    apply,
    between,
    clamp,
    creating,
    inverse,
    relative,
    single,
    walk,
)
from .values import (
    ANY,
    INF,
    MISSING,
    NOTHING,
    Bag,
    Fail,
    L,
    Noop,
    key,
    same,
    sought,
    to_python,
    value,
)

#: Operations on lists that have no answer are left out of a reply.
ANSWERS_ALL = False
UNIQUE, BOUNDED, NO_FAIL, PARTIAL = 1, 2, 4, 8
TOP = 2**63


def has(items: list[Any], wanted: Any) -> bool:
    return any(same(item, wanted) for item in items)


def twins(items: list[Any]) -> bool:
    """Whether some items are equal."""
    ranked = sorted(items, key=key)
    return any(same(a, b) for a, b in itertools.pairwise(ranked))


def wrap(number: int) -> int:
    return (number + TOP) % (2 * TOP) - TOP


def plus(old: Any, delta: Any) -> Any:
    """Increment: the type of what is there stays."""
    if isinstance(old, bool) or not isinstance(old, (int, float)):
        raise Fail(4)
    if isinstance(old, float):
        return old + delta
    return wrap(old + int(delta))


# ---- changes: of a list (or MISSING) to a new list and an answer ----


def add(items: list[Any], new: list[Any], flags: int, at: int, ordered: bool) -> list[Any]:
    """Insert several values, as the write flags allow."""
    good: list[Any] = []
    twice = any(has(new[:i], item) for i, item in enumerate(new))
    for item in new:
        if flags & UNIQUE and (has(items, item) or has(good, item)):
            if not flags & NO_FAIL:
                raise Fail(26 if (twice if ordered else has(good, item)) else 24)
            if not flags & PARTIAL:
                raise Noop(len(items))
            continue
        good.append(item)
    return [*items[:at], *good, *items[at:]]


def append(items: L, new: list[Any], flags: int) -> tuple[L, Any]:
    made = L(add(items.items, new, flags, len(items.items), items.ordered), items.ordered)
    return made, len(made.items)


def insert(items: L, at: int, new: list[Any], flags: int) -> tuple[L, Any]:
    if items.ordered:
        raise Fail(26)
    old, n = items.items, len(items.items)
    if not new:
        return items, n
    at = at + n if at < 0 else at
    if at < 0:
        raise Fail(26)
    if at > n and flags & BOUNDED:
        if flags & NO_FAIL:
            raise Noop(n)
        raise Fail(26)
    made = add(old, new, flags, min(at, n), False)
    if at > n and len(made) > n:
        made = [*old, *[None] * (at - n), *made[n:]]
    return L(made), len(made)


def put(items: L, at: int, new: Any, flags: int) -> tuple[L, Any]:
    if items.ordered:
        raise Fail(26)
    old, n = items.items, len(items.items)
    at = at + n if at < 0 else at
    if at < 0:
        raise Fail(26)
    if at > n and flags & BOUNDED:
        if flags & NO_FAIL:
            raise Noop(NOTHING)
        raise Fail(26)
    if flags & UNIQUE and has([v for i, v in enumerate(old) if i != at], new):
        if flags & NO_FAIL:
            raise Noop(NOTHING)
        raise Fail(24)
    made = [*old, *[None] * (at + 1 - n)]
    made[at] = new
    return L(made), NOTHING


def increment(items: L, at: int, delta: Any) -> tuple[L, Any]:
    old, n = items.items, len(items.items)
    at = at + n if at < 0 else at
    if at < 0:
        raise Fail(26)
    made = [*old, *[None] * (at - n)]
    new = plus(made[at], delta) if at < n else delta
    made[at:at + 1] = [new]
    return L(made, items.ordered), new


def remove_places(items: L, places: list[int]) -> L:
    gone = set(places)
    return L([v for i, v in enumerate(items.items) if i not in gone], items.ordered)


def sort(items: L, flags: int) -> L:
    if flags == 3 and not items.ordered and not all(same(v, items.items[0])
                                                    for v in items.items):
        raise Fail(4)
    made = sorted(items.items, key=key, reverse=flags == 1 and not items.ordered)
    if flags & 2:
        made = [v for i, v in enumerate(made) if i == 0 or not same(made[i - 1], v)]
    return L(made, items.ordered)


# ---- selections ----


def choose(items: list[Any], how: str, args: dict[str, Any]) -> Chosen:
    n = len(items)
    ranked = sorted(range(n), key=lambda i: key(items[i]))
    count = args.get("count")
    if how == "index":
        return Chosen([single(args["index"], n)], one=True)
    if how == "index_range":
        return Chosen(list(clamp(args["index"], count, n)))
    if how == "rank":
        return Chosen([ranked[single(args["rank"], n)]], one=True, by="rank")
    if how == "rank_range":
        return Chosen([ranked[i] for i in clamp(args["rank"], count, n)], by="rank")
    if how == "value":
        return Chosen([i for i in range(n) if same(items[i], args["value"])], by="value")
    if how == "value_list":
        return Chosen([i for i in range(n) if has(args["value_list"], items[i])], by="values")
    if how == "value_range":
        end = INF if args["value_end"] is None else args["value_end"]
        return Chosen(between(items, args["value_begin"], end), by="value")
    return Chosen(relative(ranked, items, args["value"], args["offset"], count), by="rank")


def answer(items: L, chosen: Chosen, returns: int) -> Any:
    """The selection in the form that the return type says."""
    n, places = len(items.items), chosen.places
    if returns == NONE:
        return NOTHING
    if returns == COUNT:
        return len(places)
    if returns == EXISTS:
        return bool(places)
    if returns == VALUE:
        found = [items.items[i] for i in places]
    elif returns in (INDEX, REVERSE_INDEX):
        if chosen.by == "rank" and twins(items.items):
            return ANY  # which of equal items has which rank
        found = [n - 1 - i if returns == REVERSE_INDEX else i for i in places]
    elif returns in (RANK, REVERSE_RANK):
        ranked = sorted(range(n), key=lambda i: key(items.items[i]))
        if twins(items.items):
            return ANY
        ranks = [ranked.index(i) for i in places]
        found = [n - 1 - i if returns == REVERSE_RANK else i for i in ranks]
    else:
        raise Fail(26)
    if chosen.one:
        return found[0]
    listed = returns in (VALUE, INDEX) and (items.ordered or chosen.by != "rank") and (
        not items.ordered or chosen.by != "values")
    return L(found) if listed else Bag(found)


SELECT = {
    "index": "index", "index_range": "index count", "rank": "rank", "rank_range": "rank count",
    "value": "value", "value_list": "value_list", "value_range": "value_begin value_end",
    "value_rank_range_relative": "value offset count",
}
SINGLE = ("index", "rank")


def select(items: L, how: str, args: dict[str, Any], remove: bool) -> tuple[L, Any]:
    inverted = bool(args.get("inverted"))
    chosen = inverse(choose(items.items, how, args), len(items.items), inverted)
    found = answer(items, chosen, args["return_type"])
    if inverted and args["return_type"] == EXISTS:
        found = ANY
    return (remove_places(items, chosen.places) if remove else items), found


# ---- random operations ----

Made = tuple[str, dict[str, Any], Any]


def flags_of(r: Random) -> int:
    return r.choice([0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 15])


def draw_policy(r: Random) -> dict[str, int] | None:
    if r.random() < 0.4:
        return None
    return {"list_order": r.choice([0, 0, 1]), "write_flags": flags_of(r)}


def draw_args(r: Random, names: str, held: Any) -> dict[str, Any]:
    args: dict[str, Any] = {}
    n = len(held.items) if isinstance(held, L) else 3
    for name in names.split():
        if name in ("index", "rank", "offset"):
            args[name] = r.randint(-n - 2, n + 2)
        elif name == "count":
            args[name] = r.choice([None, *range(n + 3)])
        elif name == "value_list":
            args[name] = [sought(r, held) for _ in range(r.randint(0, 3))]
            if isinstance(held, L) and held.ordered:  # counts items once for each equal one
                args[name] = [v for i, v in enumerate(args[name]) if not has(args[name][:i], v)]
        elif name in ("value_begin", "value_end"):
            args[name] = r.choice([None, sought(r, held), sought(r, held), INF])
        else:
            args[name] = sought(r, held)
    if "value_begin" in args and args["value_begin"] is INF:
        args["value_begin"] = 0
    return args


def draw_select(r: Random, held: Any) -> tuple[str, dict[str, Any], Any, bool]:
    how = r.choice(list(SELECT))
    remove = r.random() < 0.4
    if "rank" in how and isinstance(held, L) and not held.ordered and twins(held.items):
        remove = False  # which of equal items is not said
    args = draw_args(r, SELECT[how], held)
    args["return_type"] = r.choice([NONE, INDEX, REVERSE_INDEX, RANK, REVERSE_RANK, COUNT, VALUE,
                                    VALUE, VALUE, EXISTS, 6, 8, 16])
    if how not in SINGLE and r.random() < 0.3:
        args["inverted"] = True
    name = f"list_{'remove' if remove else 'get'}_by_{how}"
    return name, args, lambda items: select(items, how, args, remove), remove


def simple(name: str, args: dict[str, Any]) -> Any:
    """The model of an operation that is no selection."""
    at = args.get("index", 0)

    def change(items: L) -> tuple[L, Any]:
        n = len(items.items)
        if name == "list_size":
            return items, n
        if name == "list_get":
            return items, items.items[single(at, n)]
        if name == "list_pop":
            at_once = single(at, n)
            return remove_places(items, [at_once]), items.items[at_once]
        if name == "list_remove":
            return remove_places(items, [single(at, n)]), 1
        if name == "list_clear":
            return L([], items.ordered), NOTHING
        if name == "list_sort":
            return sort(items, args["sort_flags"]), NOTHING
        if name == "list_set_order":
            return L(items.items, bool(args["list_order"])), NOTHING
        places = list(clamp(at, args["count"], n))
        if name == "list_trim":
            rest = [i for i in range(n) if i not in set(places)]
            return remove_places(items, rest), len(rest)
        if name == "list_get_range":
            return items, L([items.items[i] for i in places])
        found = L([items.items[i] for i in places])
        gone = remove_places(items, places)
        return gone, found if name == "list_pop_range" else len(places)

    return change


SIMPLE = {
    "list_size": "", "list_get": "index", "list_get_range": "index count", "list_pop": "index",
    "list_pop_range": "index count", "list_remove": "index", "list_remove_range": "index count",
    "list_trim": "index count", "list_clear": "", "list_sort": "sort_flags",
    "list_set_order": "list_order",
}
READS = ("list_size", "list_get", "list_get_range")


def draw_simple(r: Random, held: Any) -> tuple[str, dict[str, Any], Any, bool]:
    name = r.choice([n for n in SIMPLE for _ in range(1 if n == "list_clear" else 3)])
    args: dict[str, Any] = {}
    n = len(held.items) if isinstance(held, L) else 3
    for entry in SIMPLE[name].split():
        if entry == "index":
            args["index"] = r.randint(-n - 2, n + 2)
        elif entry == "count":
            args["count"] = r.randint(0, n + 2)
        elif entry == "sort_flags":
            args[entry] = r.choice([0, 1, 2, 2, 3])
        else:
            args[entry] = r.choice([0, 1])
    return name, args, simple(name, args), name not in READS


def draw_write(r: Random, held: Any, creates: bool) -> tuple[str, dict[str, Any], Any]:
    """Operations that create a list; the change takes MISSING, too."""
    name = r.choice(["append"] * 4 + ["append_items", "append_items", "insert", "insert_items",
                                      "set", "increment"])
    n = len(held.items) if isinstance(held, L) else 0
    policy = draw_policy(r)
    if policy and creates:  # BOUNDED and NO_FAIL there: 26 or nothing, by the list around
        policy["write_flags"] &= ~BOUNDED
    order = bool(policy and policy["list_order"]) and not name.startswith(("ins", "set"))
    flags = policy["write_flags"] if policy else 0
    args: dict[str, Any] = {} if policy is None else {"policy": policy}
    if name in ("insert", "insert_items", "set", "increment"):
        args["index"] = r.randint(-n - 1, n + 2)
    if name.endswith("items"):
        args["values"] = [value(r) for _ in range(r.randint(0, 3))]
    elif name == "increment":
        args.pop("policy", None)
        flags = order = 0
        ordered = isinstance(held, L) and held.ordered
        if ordered:  # beyond the end of an ordered list, a server 8.1.2 ends
            args["index"] = r.randint(-n - 1, n - 1)
        args["value"] = r.choice([1, -1, 5, 2.5, 2**62])
    else:
        args["value"] = value(r)

    def change(items: Any) -> tuple[L, Any]:
        if items is not MISSING:
            return write(items)
        try:
            return write(L([], bool(order)))
        except Noop as noop:
            if creates:
                raise
            return L([], bool(order)), noop.answer  # a bin is made all the same

    def write(items: L) -> tuple[L, Any]:
        if name.startswith("append"):
            return append(items, args.get("values", [args.get("value")]), flags)
        if name.startswith("insert"):
            return insert(items, args["index"], args.get("values", [args.get("value")]), flags)
        if name == "set":
            return put(items, args["index"], args["value"], flags)
        return increment(items, args["index"], args["value"])

    return f"list_{name}", args, change


def on_list(name: str, change: Any, creates: bool) -> Any:
    """The change, behind the check of the type, and what it makes of nothing."""
    def checked(items: Any) -> tuple[Any, Any]:
        if items is MISSING and not creates:
            if name == "list_set_order":
                return change(L([]))
            if name == "list_sort":
                raise Fail(12)
            return MISSING, NOTHING
        if items is not MISSING and not isinstance(items, L):
            raise Fail(12)
        return change(items)

    return checked


def target(bins: dict[str, Any], steps: list[Step]) -> Any:
    """What a context names, if it names something."""
    found: list[Any] = []

    def look(held: Any) -> tuple[Any, Any]:
        found.append(held)
        raise Fail(0)

    with contextlib.suppress(Fail):
        apply(bins, steps, look, True)
    return found[0] if found else MISSING


def draw(r: Random, bins: dict[str, Any]) -> Made:
    """A random operation: its text, its dict, and its model, which takes the bins."""
    old = bins.get("b", MISSING)
    steps = walk(r, old, L) if r.random() < 0.5 else []
    writes = r.random() < 0.45 or not isinstance(target(bins, steps), L)
    if writes and r.random() < 0.25:
        steps = creating(r, old)
    held = target(bins, steps)
    if writes:
        name, args, change = draw_write(r, held, any(step.creates for step in steps))
        modify = True
    else:
        pick = draw_select if r.random() < 0.6 else draw_simple
        name, args, change, modify = pick(r, held)
    sent = {k: [to_python(v) for v in a] if isinstance(a, list) else to_python(a)
            for k, a in args.items()}
    if steps:
        sent["ctx"] = [step.wire() for step in steps]
    op = getattr(ops, name)("b", **sent)

    def run(bins: dict[str, Any]) -> Any:
        return apply(bins, steps, on_list(name, change, writes), modify)

    return f"{name}({args}, ctx={steps})", op, run


def start(r: Random) -> Any:
    """What the bin holds at first."""
    if r.random() < 0.15:
        return MISSING
    return L([value(r) for _ in range(r.randint(0, 6))])
