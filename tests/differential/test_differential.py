"""A short run of tests/differential/run.py, with hypothesis choosing and shrinking.

Each family is a machine that takes steps on one record: the local server, the model, and a real
server if AEROSPIKE_HOST is set, must agree after each.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import malformed
import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from model.compare import Difference, Run, Servers
from run import FAMILIES, run_family, servers

from aerospike_py.server import LocalServer

BRIEF = settings(max_examples=12, stateful_step_count=25, deadline=None,
                 suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def clients() -> Iterator[Servers]:
    with LocalServer() as local:
        found = servers(local)
        yield found
        for client in found.values():
            client.close()


def machine(clients: Servers, name: str) -> type[RuleBasedStateMachine]:
    """Steps of one family."""

    class Steps(RuleBasedStateMachine):
        @initialize(r=st.randoms(use_true_random=False))
        def start(self, r: Random) -> None:
            self.run = Run(clients, FAMILIES[name], r)

        @rule(r=st.randoms(use_true_random=False))
        def step(self, r: Random) -> None:
            self.run.step(r)

        def teardown(self) -> None:
            if hasattr(self, "run"):
                self.run.end()

    return Steps


@pytest.mark.parametrize("name", FAMILIES)
def test_steps(clients: Servers, name: str) -> None:
    run_state_machine_as_test(machine(clients, name), settings=BRIEF)


@pytest.mark.parametrize("name", FAMILIES)
def test_seeds(clients: Servers, name: str) -> None:
    """The same ones each time, in number."""
    assert run_family(clients, FAMILIES[name], 4000, 7).total() >= 4000


def test_a_difference_is_seen(clients: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is worth something: a model that counts wrongly is found out."""
    lists = FAMILIES["lists"]
    append = lists.append
    monkeypatch.setattr(lists, "append", lambda *args: (append(*args)[0], 99))
    with pytest.raises(Difference):
        run_family(clients, lists, 4000, 7)


def test_malformed_payloads_change_nothing() -> None:
    """Each has a code of the real server, and leaves the bin as it was."""
    with LocalServer() as local:
        codes = malformed.run(local.hosts[0][1], 6000, 1)
    assert codes.total() == 6000 and codes[4] > 500 and codes[0] > 300
