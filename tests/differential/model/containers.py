"""What the model's lists and maps share: ranges, answers by return type, contexts."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from aerospike_py.helpers import cdt_ctx

from .values import INF, MISSING, NOTHING, Fail, L, M, key, map_key, same, to_python

NONE, INDEX, REVERSE_INDEX, RANK, REVERSE_RANK, COUNT, KEY, VALUE, KEY_VALUE = range(9)
EXISTS, UNORDERED_MAP, ORDERED_MAP = 13, 16, 17


def clamp(start: int, count: int | None, n: int) -> range:
    """A range as clients say it, inside `n` entries."""
    if start < 0:
        start += n
    end = n if count is None or count < 0 else start + count
    return range(min(max(start, 0), n), max(min(end, n), min(max(start, 0), n)))


def single(at: int, n: int) -> int:
    """A place that must exist."""
    if not -n <= at < n:
        raise Fail(26)
    return at % n


def between(values: list[Any], begin: Any, end: Any) -> list[int]:
    """Places of the values from `begin` (None: all) up to, not including, `end` (INF: all)."""
    return [i for i, value in enumerate(values)
            if key(begin) <= key(value) and (end is INF or key(value) < key(end))]


def relative(ranked: list[int], values: list[Any], value: Any, offset: int,
             count: int | None) -> list[int]:
    """Places from the rank of a value on."""
    start = sum(key(v) < key(value) for v in values) + offset
    end = len(ranked) if count is None or count < 0 else start + count
    return ranked[max(start, 0):max(end, 0)]


class Chosen:
    """A selection: places in list or key order, and how it came about."""

    def __init__(self, places: list[int], one: bool = False, by: str = "index",
                 ranked: bool = False) -> None:
        self.places = places
        self.one = one         # a single item is asked for, and answered
        self.by = by           # index, rank, value, key, keys
        self.ranked = ranked   # results are in the order of ranks
        self.loose = False     # in which order is not said


def inverse(chosen: Chosen, n: int, inverted: bool) -> Chosen:
    if not inverted:
        return chosen
    if chosen.one:
        raise Fail(26)
    rest = [i for i in range(n) if i not in set(chosen.places)]
    made = Chosen(rest, False, chosen.by)
    made.loose = chosen.by == "rank"
    return made


# ---- contexts ----

Change = Callable[[Any], tuple[Any, Any]]


class Step:
    """One step of a context."""

    def __init__(self, kind: str, *args: Any) -> None:
        self.kind = kind
        self.args = args

    def __repr__(self) -> str:
        return f"{self.kind}{self.args!r}"

    def wire(self) -> Any:
        return getattr(cdt_ctx, f"cdt_ctx_{self.kind}")(*map(to_python, self.args))

    @property
    def creates(self) -> bool:
        return self.kind.endswith("create")


def find(container: Any, step: Step) -> int:
    """The place of a step's entry; -1: there is none."""
    is_list = step.kind.startswith("list")
    if isinstance(container, L) != is_list:
        raise Fail(26)
    values = container.items if is_list else [v for _, v in container.pairs]
    n, arg = len(values), step.args[0]
    what = step.kind.split("_")[1]
    if what in ("index", "rank"):
        if not -n <= arg < n:
            return -1
        return arg % n if what == "index" else sorted(range(n), key=lambda i: key(values[i]))[arg]
    if what == "key":
        return next((i for i, (k, _) in enumerate(container.pairs) if same(k, arg)), -1)
    found = [i for i, v in enumerate(values) if same(v, arg)]
    return found[0] if found else -1


def replaced(container: Any, at: int, child: Any) -> Any:
    if isinstance(container, L):
        return L([*container.items[:at], child, *container.items[at + 1:]], container.ordered)
    pairs = list(container.pairs)
    pairs[at] = (pairs[at][0], child)
    return M(pairs, container.order)


def added(container: Any, step: Step, child: Any) -> Any:
    """The container with an entry that was missing."""
    if isinstance(container, M):
        return M([*container.pairs, (step.args[0], child)], container.order)
    n, (at, ordered, pad) = len(container.items), step.args
    at = at + n if at < 0 else at
    if container.ordered and at >= 0:
        return L([*container.items, child], True)
    if at < 0 and not (n == 0 and step.args[0] == -1):
        raise Fail(26)
    if at > n and (ordered or not pad):
        raise Fail(26)
    return L([*container.items, *[None] * (at - n), child], container.ordered)


def within(container: Any, steps: list[Step], change: Change) -> tuple[Any, Any]:
    """Change what a context names; the answer and the new container."""
    if not steps:
        return change(container)
    step = steps[0]
    if container is MISSING:
        if not step.creates:
            raise Fail(26)
        container = (L([], bool(step.args[1])) if step.kind.startswith("list")
                     else M([], step.args[1]))
    if not isinstance(container, (L, M)):
        raise Fail(26)
    at = find(container, step)
    if at < 0:
        if not step.creates:
            raise Fail(26)
        added(container, step, None)  # or it fails
        child, answer = within(MISSING, steps[1:], change)
        return added(container, step, child), answer
    values = container.items if isinstance(container, L) else [v for _, v in container.pairs]
    child, answer = within(values[at], steps[1:], change)
    return replaced(container, at, child), answer


def apply(bins: dict[str, Any], steps: list[Step], change: Change, modify: bool) -> Any:
    """One operation on the bin "b": changes `bins`, gives the answer."""
    old = bins.get("b", MISSING)
    if old is MISSING and not modify:
        return NOTHING
    if old is not MISSING and not isinstance(old, (L, M)):
        raise Fail(12)
    new, answer = within(old, steps, change)
    if modify and new is not MISSING:
        bins["b"] = new
    return answer


def walk(r: Random, container: Any, want: type) -> list[Step]:
    """A random context that mostly ends at a list (or map) inside the container."""
    steps: list[Step] = []
    while isinstance(container, (L, M)) and len(steps) < 3:
        values = container.items if isinstance(container, L) else [v for _, v in container.pairs]
        inner = [i for i, v in enumerate(values) if isinstance(v, (L, M))]
        if isinstance(container, want) and (not inner or r.random() < 0.6):
            break
        if not values:
            break
        at = r.choice(inner) if inner and r.random() < 0.9 else r.randrange(len(values))
        steps.append(step_to(r, container, values, at))
        container = values[at]
    return steps


def step_to(r: Random, container: Any, values: list[Any], at: int) -> Step:
    n = len(values)
    family = "list" if isinstance(container, L) else "map"
    kind = r.choice(["index", "index", "rank", "value"] + ["key"] * 4 * (family == "map"))
    if kind == "index":
        return Step(f"{family}_index", r.choice([at, at - n]))
    if kind == "rank" and sum(same(v, values[at]) for v in values) == 1:
        ranked = sorted(range(n), key=lambda i: key(values[i]))
        return Step(f"{family}_rank", ranked.index(at) - r.choice([0, n]))
    if kind == "key":
        return Step("map_key", container.pairs[at][0] if r.random() < 0.9 else map_key(r))
    found = next(i for i, v in enumerate(values) if same(v, values[at]))
    return (Step(f"{family}_value", values[at]) if found == at
            else Step(f"{family}_index", at))


def creating(r: Random, top: Any) -> list[Step]:
    """A context that may create its levels."""
    steps = []
    kind = ("list" if isinstance(top, L) else "map" if isinstance(top, M)
            else r.choice(["list", "map"]))
    for _ in range(r.randint(1, 2)):
        if kind == "map":
            steps.append(Step("map_key_create", map_key(r), r.choice([0, 1, 3])))
        else:
            at = r.randint(-1, 4)
            # -1 in a new list that is to be padded ends a server 8.1.2
            steps.append(Step("list_index_create", at, r.choice([0, 0, 1]),
                              at >= 0 and r.random() < 0.5))
        kind = r.choice(["list", "map"])
    return steps
