"""Operations on maps: the model, and random ones."""

from __future__ import annotations

from random import Random
from typing import Any

from aerospike_py.helpers.operations import map_operations as ops

from .containers import (
    COUNT,
    EXISTS,
    INDEX,
    KEY,
    KEY_VALUE,
    NONE,
    ORDERED_MAP,
    RANK,
    REVERSE_INDEX,
    REVERSE_RANK,
    UNORDERED_MAP,
    VALUE,
    Chosen,
    apply,
    between,
    clamp,
    creating,
    inverse,
    relative,
    single,
    walk,
)
from .lists import has, plus, target
from .values import (
    ANY,
    INF,
    MISSING,
    Bag,
    Fail,
    L,
    M,
    Noop,
    key,
    map_key,
    map_value,
    same,
    sought,
    to_python,
    value,
)

CREATE_ONLY, UPDATE_ONLY, NO_FAIL, PARTIAL = 1, 2, 4, 8
Made = tuple[str, dict[str, Any], Any]


def place(pairs: list[tuple[Any, Any]], wanted: Any) -> int:
    return next((i for i, (k, _) in enumerate(pairs) if same(k, wanted)), -1)


def ranks(pairs: list[tuple[Any, Any]]) -> list[int]:
    """Places in the order of values, then keys."""
    return sorted(range(len(pairs)), key=lambda i: (key(pairs[i][1]), i))


# ---- changes ----


def put(held: M, new: list[tuple[Any, Any]], flags: int, many: bool) -> tuple[M, Any]:
    pairs = list(held.pairs)
    if many and not pairs and flags & 14 == UPDATE_ONLY | NO_FAIL | PARTIAL:
        flags = 0  # an oddity of the server: an empty map takes them all
    skipped = 0
    for k, v in new:
        at = place(pairs, k)
        code = 24 if flags & CREATE_ONLY and at >= 0 else (
            23 if flags & UPDATE_ONLY and at < 0 else 0)
        if code and not flags & NO_FAIL:
            raise Fail(code)
        if code and not flags & PARTIAL:
            raise Noop(len(held.pairs))
        if code:
            skipped += 1
        elif at >= 0:
            pairs[at] = (pairs[at][0], v)
        else:
            pairs.append((k, v))
    if skipped and skipped == len(new):
        raise Noop(len(held.pairs))
    return M(pairs, held.order), len(pairs)


def increment(held: M, k: Any, delta: Any, sign: int) -> tuple[M, Any]:
    pairs = list(held.pairs)
    at = place(pairs, k)
    if at < 0:
        new = sign * delta
        pairs.append((k, new))
    else:
        new = plus(pairs[at][1], sign * delta)
        pairs[at] = (pairs[at][0], new)
    return M(pairs, held.order), new


# ---- selections ----


def choose(pairs: list[tuple[Any, Any]], how: str, args: dict[str, Any]) -> Chosen | None:
    """The selection; None: one key that is not there."""
    n = len(pairs)
    keys = [k for k, _ in pairs]
    values = [v for _, v in pairs]
    ranked = ranks(pairs)
    count = args.get("count", args.get("get_amt", args.get("remove_amt")))
    if how == "key":
        at = place(pairs, args["key"])
        return Chosen([at], one=True, by="key") if at >= 0 else None
    if how == "key_list":
        return Chosen([i for i, k in enumerate(keys) if has(args["key_list"], k)], by="keys")
    if how == "key_range":
        return Chosen(between(keys, args["key_range_start"], args["key_range_end"]), by="key")
    if how == "index":
        return Chosen([single(args["index"], n)], one=True)
    if how == "index_range":
        return Chosen(list(clamp(args["index_start"], count, n)))
    if how == "rank":
        return Chosen([ranked[single(args["rank"], n)]], one=True, by="rank")
    if how == "rank_range":
        return Chosen([ranked[i] for i in clamp(args["rank_start"], count, n)], by="rank",
                      ranked=True)
    if how == "value":
        return Chosen([i for i in range(n) if same(values[i], args["value"])], by="value")
    if how == "value_list":
        return Chosen([i for i in range(n) if has(args["value_list"], values[i])], by="value")
    if how == "value_range":
        return Chosen(between(values, args["value_start"], args["value_end"]), by="value")
    if how == "key_index_range_relative":
        return Chosen(relative(list(range(n)), keys, args["key"], args["offset"], count))
    return Chosen(relative(ranked, values, args["value"], args["offset"], count), by="rank",
                  ranked=True)


def places_of(held: M, chosen: Chosen, returns: int) -> list[int]:
    n = len(held.pairs)
    if returns in (INDEX, REVERSE_INDEX):
        found = chosen.places
    else:
        ranked = ranks(held.pairs)
        found = [ranked.index(i) for i in chosen.places]
    return [n - 1 - i for i in found] if returns in (REVERSE_INDEX, REVERSE_RANK) else found


def answer(held: M, chosen: Chosen, returns: int) -> Any:
    pairs = [held.pairs[i] for i in chosen.places]
    if returns == NONE:
        return None
    if returns == COUNT:
        return len(pairs)
    if returns == EXISTS:
        return bool(pairs)
    if returns in (UNORDERED_MAP, ORDERED_MAP):
        return M(pairs, int(returns == ORDERED_MAP))
    if returns == KEY_VALUE:
        found = [L(list(pair)) for pair in pairs]
    elif returns in (KEY, VALUE):
        found = [pair[returns == VALUE] for pair in pairs]
    if returns in (KEY, VALUE, KEY_VALUE):
        if chosen.one and returns != KEY_VALUE:
            return found[0]
        return Bag(found) if chosen.loose else L(found)
    if returns not in (INDEX, REVERSE_INDEX, RANK, REVERSE_RANK):
        raise Fail(26)
    if chosen.by == "keys" and returns in (RANK, REVERSE_RANK):
        raise Fail(26)
    numbers = places_of(held, chosen, returns)
    return numbers[0] if chosen.one else Bag(numbers)


def absent(returns: int) -> Any:
    """The answer for one key that is not there."""
    answers: dict[int, Any] = {
        NONE: None, COUNT: 0, EXISTS: False, VALUE: None, KEY: None, INDEX: -1,
        REVERSE_INDEX: -1, RANK: -1, REVERSE_RANK: -1, KEY_VALUE: L([]),
        UNORDERED_MAP: M([]), ORDERED_MAP: M([], 1)}
    if returns not in answers:
        raise Fail(26)
    return answers[returns]


SELECT = {
    "key": "key", "key_list": "key_list", "key_range": "key_range_start key_range_end",
    "index": "index", "index_range": "index_start amount", "rank": "rank",
    "rank_range": "rank_start amount", "value": "value", "value_list": "value_list",
    "value_range": "value_start value_end", "key_index_range_relative": "key offset count",
    "value_rank_range_relative": "value offset count",
}
SINGLE = ("key", "index", "rank")


def select(held: M, how: str, args: dict[str, Any], remove: bool) -> tuple[M, Any]:
    returns = args["return_type"]
    inverted = bool(args.get("inverted"))
    chosen = choose(held.pairs, how, args)
    if chosen is None:
        return held, absent(returns)
    chosen = inverse(chosen, len(held.pairs), inverted)
    found = answer(held, chosen, returns)
    if inverted and returns == EXISTS:
        found = ANY
    gone = set(chosen.places)
    left = [pair for i, pair in enumerate(held.pairs) if i not in gone]
    return (M(left, held.order) if remove else held), found


# ---- random operations ----


def a_key(r: Random, held: Any) -> Any:
    if isinstance(held, M) and held.pairs and r.random() < 0.7:
        return r.choice(held.pairs)[0]
    return map_key(r)


def draw_args(r: Random, names: str, held: Any, remove: bool) -> dict[str, Any]:
    args: dict[str, Any] = {}
    n = len(held.pairs) if isinstance(held, M) else 3
    for name in names.split():
        if name in ("index", "rank", "offset", "index_start", "rank_start"):
            args[name] = r.randint(-n - 2, n + 2)
        elif name == "amount":
            args["remove_amt" if remove else "get_amt"] = r.randint(0, n + 2)
        elif name == "count":
            args[name] = r.choice([None, *range(n + 3)])
        elif name == "key_list":
            found = [a_key(r, held) for _ in range(r.randint(0, 3))]
            args[name] = [k for i, k in enumerate(found) if not has(found[:i], k)]
        elif name == "value_list":
            found = [sought(r, held) for _ in range(r.randint(0, 3))]
            args[name] = [v for i, v in enumerate(found) if not has(found[:i], v)]
        elif name.startswith("key"):
            args[name] = a_key(r, held)
        else:
            args[name] = sought(r, held)
    for name in ("key_range_end", "value_end"):
        if name in args and r.random() < 0.2:
            args[name] = INF
    for name in ("key_range_start", "value_start"):
        if name in args and r.random() < 0.2:
            args[name] = None
    return args


RETURNS = [NONE, INDEX, REVERSE_INDEX, RANK, REVERSE_RANK, COUNT, KEY, KEY, VALUE, VALUE,
           KEY_VALUE, KEY_VALUE, EXISTS, UNORDERED_MAP, ORDERED_MAP]


def draw_select(r: Random, held: Any) -> tuple[str, dict[str, Any], Any, bool]:
    how = r.choice(list(SELECT))
    remove = r.random() < 0.35
    args = draw_args(r, SELECT[how], held, remove)
    args["return_type"] = r.choice(RETURNS)
    if how not in SINGLE and r.random() < 0.3:
        # all but an empty list of keys or values: a server 8.1.2 ends
        args["inverted"] = args.get("key_list", args.get("value_list")) != []
    name = f"map_{'remove' if remove else 'get'}_by_{how}"
    return name, args, lambda found: select(found, how, args, remove), remove


def draw_policy(r: Random) -> dict[str, Any] | None:
    if r.random() < 0.3:
        return None
    policy = {"map_order": r.choice([0, 0, 1, 3]),
              "map_write_flags": r.choice([0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14])}
    if r.random() < 0.1 and policy["map_order"] != 3:  # its intervals answer by rank then
        policy["persist_index"] = True
    return policy


def draw_write(r: Random, held: Any, creates: bool) -> tuple[str, dict[str, Any], Any]:
    name = r.choice(["map_put"] * 4 + ["map_put_items"] * 3 + ["map_increment", "map_decrement",
                                                              "map_set_policy"])
    policy = draw_policy(r)
    flags = policy["map_write_flags"] if policy else 0
    order = policy["map_order"] if policy else 0
    args: dict[str, Any] = {} if policy is None else {"map_policy": policy}
    if name == "map_set_policy":
        args = {"policy": {"map_order": order}}
    elif name == "map_put_items":
        args["item_dict"] = map_value(r, orders=(0,))
        if isinstance(held, M) and held.pairs and r.random() < 0.6:
            found = dict(args["item_dict"].pairs)
            found[r.choice(held.pairs)[0]] = value(r)
            args["item_dict"] = M(list(found.items()))
    else:
        args["key"] = a_key(r, held)
        if name == "map_put":
            args["value"] = value(r)
        else:
            args["amount"] = r.choice([1, -1, 5, 2.5, 2**62])

    def change(found: Any) -> tuple[M, Any]:
        try:
            return write(found)
        except Noop as noop:
            if creates or found is not MISSING:
                raise
            return M([], order), noop.answer  # a bin is made all the same

    def write(found: Any) -> tuple[M, Any]:
        if name == "map_set_policy":
            return M(found.pairs if isinstance(found, M) else [], order), None
        made = found if isinstance(found, M) else M([], order)
        if name == "map_put":
            return put(made, [(args["key"], args["value"])], flags, False)
        if name == "map_put_items":
            return put(made, args["item_dict"].pairs, flags, True)
        return increment(made, args["key"], args["amount"], 1 if name == "map_increment" else -1)

    return name, args, change


def draw_simple(r: Random) -> tuple[str, dict[str, Any], Any, bool]:
    if r.random() < 0.8:
        return "map_size", {}, lambda held: (held, len(held.pairs)), False
    return "map_clear", {}, lambda held: (M([], held.order), None), True


def on_map(change: Any, creates: bool, name: str) -> Any:
    """The change, behind the check of the type, and what it makes of nothing."""
    def checked(held: Any) -> tuple[Any, Any]:
        if held is MISSING and not creates:
            return MISSING, None
        if held is not MISSING and not isinstance(held, M):
            raise Fail(12)
        return change(held)

    return checked


#: Two helpers name an argument as its sister does.
NAMES = {"map_get_by_value_list": {"value_list": "key_list"},
         "map_get_by_key_index_range_relative": {"key": "value"}}


def draw(r: Random, bins: dict[str, Any]) -> Made:
    """A random operation: its text, its dict, and its model, which takes the bins."""
    old = bins.get("b", MISSING)
    steps = walk(r, old, M) if r.random() < 0.5 else []
    writes = r.random() < 0.4 or not isinstance(target(bins, steps), M)
    if writes and r.random() < 0.25:
        steps = creating(r, old)
    held = target(bins, steps)
    if writes:
        name, args, change = draw_write(r, held, any(step.creates for step in steps))
        modify = True
    elif r.random() < 0.9:
        name, args, change, modify = draw_select(r, held)
    else:
        name, args, change, modify = draw_simple(r)
    names = NAMES.get(name, {})
    sent = {names.get(k, k): [to_python(v) for v in a] if isinstance(a, list) else to_python(a)
            for k, a in args.items()}
    if steps:
        sent["ctx"] = [step.wire() for step in steps]
    op = getattr(ops, name)("b", **sent)

    def run(bins: dict[str, Any]) -> Any:
        return apply(bins, steps, on_map(change, writes, name), modify)

    return f"{name}({args}, ctx={steps})", op, run


def start(r: Random) -> Any:
    """What the bin holds at first."""
    return MISSING if r.random() < 0.15 else map_value(r)
