"""The same operations on a local server, on a real one, and on the model."""

from __future__ import annotations

import copy
import uuid
from collections import Counter
from random import Random
from types import ModuleType
from typing import Any

import aerospike_py
from aerospike_py.exception import AerospikeError
from aerospike_py.helpers.operations import operations

from .values import MISSING, NOTHING, SILENT, Fail, Noop, exact, matches, to_python

Servers = dict[str, Any]
Outcome = tuple[int, list[Any]]


class Difference(AssertionError):
    """Two of the three do not agree."""


def ask(client: Any, key: tuple[Any, ...], ops: list[dict[str, Any]]) -> Outcome:
    """The code of an error or 0, and the answers in their order."""
    try:
        return 0, [value for _, value in client.operate_ordered(key, ops)[2]]
    except AerospikeError as error:
        if error.code <= 0:  # not the server's: it is gone
            return error.code, [str(error)]
        return error.code, []


class Run:
    """One record and what happens to it.

    Parameters
    ----------
    servers : dict
        Connected clients by name.
    family : module
        What is drawn: lists, maps and so on.
    """

    def __init__(self, servers: Servers, family: ModuleType, r: Random) -> None:
        self.servers = servers
        self.family = family
        self.key = ("test", "differential", uuid.uuid4().hex)
        self.story: list[str] = []
        self.counts: Counter[int] = Counter()
        self.bins: dict[str, Any] = {}
        started = family.start(r)
        if isinstance(started, dict):
            self.bins = started
        elif started is not MISSING:
            self.bins["b"] = started
        self.story.append(f"put {self.bins}")
        for client in servers.values():
            client.put(self.key, {"z": 0, **{n: to_python(v) for n, v in self.bins.items()}})

    def model(self, run: Any) -> tuple[int, Any, dict[str, Any]]:
        """The model's code, answer and bins."""
        bins = copy.copy(self.bins)
        try:
            return 0, run(bins), bins
        except Noop as noop:
            return 0, noop.answer, self.bins
        except Fail as fail:
            return fail.code, NOTHING, self.bins

    def step(self, r: Random) -> None:
        """One random operation, and the bin read back behind it."""
        text, op, run = self.family.draw(r, self.bins)
        self.story.append(text)
        code, answer, bins = self.model(run)
        answers_all = getattr(self.family, "ANSWERS_ALL", True)
        want = [answer] if answer is not NOTHING or not answers_all else [None]
        want = [a for a in want if a is not NOTHING and a is not SILENT]
        if not answers_all and want == [None]:
            want = []  # nil
        state = bins.get("b", MISSING)
        if state is not MISSING:
            want.append(state)
        elif answers_all:
            want.append(None)
        found = {name: ask(client, self.key, [op, operations.read("b")])
                 for name, client in self.servers.items()}
        self.check(code, want, found)
        self.bins = bins
        self.counts[code] += 1

    def check(self, code: int, want: list[Any], found: dict[str, Outcome]) -> None:
        names = list(found)
        answers_all = getattr(self.family, "ANSWERS_ALL", True)
        for name in names[1:]:
            if found[name][0] != found[names[0]][0] or (
                    exact(found[name][1]) != exact(found[names[0]][1])):
                self.fail(code, want, found)
        got_code, got = found[names[0]]
        state = len(want) - 1  # the bin stands last; answers of lists are told without flags
        same = len(want) == len(got) and all(
            matches(want[i], got[i], answers_all or i == state) for i in range(len(want)))
        if got_code != code or (code == 0 and not same):
            self.fail(code, want, found)

    def fail(self, code: int, want: list[Any], found: dict[str, Outcome]) -> None:
        story = "\n  ".join(self.story[-40:])
        raise Difference(f"{self.family.__name__}\n  {story}\nbefore: {self.bins}\n"
                         f"model: {code} {want}\n"
                         + "\n".join(f"{name}: {outcome}" for name, outcome in found.items()))

    def end(self) -> None:
        """The whole record, once more; then it is removed."""
        for name, client in self.servers.items():
            bins = client.get(self.key)[2]
            want = {"z": 0, **{n: v for n, v in self.bins.items() if n != "sketch"}}
            if set(bins) != set(want) or not all(matches(want[n], bins[n]) for n in bins):
                raise Difference(f"{name} ends with {bins}, not {want}")
            client.remove(self.key)


def connect(hosts: list[tuple[str, int]]) -> Any:
    return aerospike_py.client({"hosts": hosts}).connect()
