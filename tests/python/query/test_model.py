"""Queries, scans and pages against a model: what was written, in all 4,096 partitions, is what
is found, once each, while nodes go down and come back.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from contextlib import contextmanager

import pytest
from queries import numbers

import aerospike_py
from aerospike_py import predicates
from aerospike_py.exception import AerospikeError

PARTITIONS = 4096
POLICY = {"max_retries": 300, "sleep_between_retries": 5}
WRITE = {**POLICY, "total_timeout": 30_000}
PADDING = b"p" * 500


def keys_of_all_partitions(set_name, most=2):
    """Numbers of keys, at least one and at most so many for each partition."""
    found: Counter[int] = Counter()
    kept = []
    for n in itertools.count():
        digest = aerospike_py.calc_digest("test", set_name, n)
        part = int.from_bytes(digest[:2], "little") % PARTITIONS
        if found[part] < most:
            found[part] += 1
            kept.append(n)
            if len(found) == PARTITIONS:
                return kept


@pytest.fixture(scope="module")
def everywhere():
    return keys_of_all_partitions("everywhere")


@pytest.fixture
def client(cluster, make_client, everywhere):
    """A client of three nodes, with a record in each partition."""
    client = make_client(hosts=cluster.hosts, tend_interval=50)
    if client.exists(("test", "everywhere", everywhere[-1])).meta is None:
        for at in range(0, len(everywhere), 1000):
            client.batch_write([(("test", "everywhere", n), {"n": n, "p": PADDING})
                                for n in everywhere[at:at + 1000]])
    return client


@pytest.fixture
def by_number(client):
    client.index_integer_create("test", "everywhere", "n", "everywhere_n")
    return lambda query: query.where(predicates.between("n", 0, 10**9))


@contextmanager
def shaken(cluster, nodes=3, pause=0.06):
    """Meanwhile one node after another goes down and comes back."""
    stop, count = threading.Event(), []

    def shake():
        for node in itertools.cycle(range(nodes)):
            if stop.wait(pause):
                return
            count.append(node)
            cluster.node_down(node)
            stop.wait(pause)
            cluster.node_up(node)

    thread = threading.Thread(target=shake)
    thread.start()
    try:
        yield count
    finally:
        stop.set()
        thread.join()


def by_results(query, policy):
    return query.results(policy)


def by_loop(query, policy):
    return list(query.stream(policy))


def by_callback(query, policy):
    found = []
    query.foreach(found.append, policy)
    return found


def by_pages(query, policy):
    return [record for page in query.pages(900, policy=policy) for record in page]


def by_paginating(query, policy):
    query.paginate()
    query.max_records = 1500
    found = []
    while not query.is_done():
        found += query.results(policy)
    return found


READERS = [by_results, by_loop, by_callback, by_pages, by_paginating]


def test_the_keys_are_in_every_partition(client, everywhere):
    parts = {client.get_key_partition_id("test", "everywhere", n) for n in everywhere}
    assert parts == set(range(PARTITIONS))


@pytest.mark.parametrize("way", ["query", "scan", "indexed"])
@pytest.mark.parametrize("read", READERS)
def test_all_that_was_written_is_found_once(cluster, client, everywhere, by_number, read,
                                            way):
    def make():
        name = "scan" if way == "scan" else "query"
        query = getattr(client, name)("test", "everywhere").select("n")
        return by_number(query) if way == "indexed" else query

    wanted = sorted(everywhere)
    assert sorted(numbers(read(make(), POLICY))) == wanted
    with shaken(cluster) as shakes:
        while len(shakes) < 5:
            assert sorted(numbers(read(make(), POLICY))) == wanted


def test_pages_go_on_elsewhere_while_nodes_go_and_come(cluster, client, make_client, everywhere):
    other = make_client(hosts=cluster.hosts, tend_interval=50)
    found, cursor = [], None
    with shaken(cluster):
        for turn in itertools.count():
            query = (client, other)[turn % 2].query("test", "everywhere").select("n")
            page = next(iter(query.pages(333, cursor, policy=POLICY)))
            found += numbers(page)
            cursor = page.cursor
            if cursor is None:
                break
    assert sorted(found) == sorted(everywhere)


def test_what_comes_and_goes_meanwhile_disturbs_nobody_else(cluster, client, everywhere):
    """Records that stay are found once; others at most once."""
    dice = random.Random(6)
    stop = threading.Event()
    passing = range(10**6, 10**6 + 300)
    seeds = cluster.hosts

    def traffic():
        with aerospike_py.client({"hosts": seeds, "tend_interval": 50}).connect() as own:
            while not stop.is_set():
                keys = [("test", "everywhere", n) for n in dice.sample(passing, 50)]
                own.batch_write([(key, {"n": key[2]}) for key in keys[:30]], WRITE)
                own.batch_remove(keys[20:], WRITE)
            own.batch_remove([("test", "everywhere", n) for n in passing], WRITE)

    thread = threading.Thread(target=traffic)
    thread.start()
    try:
        with shaken(cluster) as shakes:
            while len(shakes) < 5:
                for read in READERS:
                    found = Counter(numbers(read(client.query("test", "everywhere"), POLICY)))
                    assert set(found.values()) == {1}
                    assert sorted(n for n in found if n not in passing) == sorted(everywhere)
    finally:
        stop.set()
        thread.join()


def test_sets_that_change_equal_their_model(cluster, client, set_name):
    """Random writes, removals and readings of a small set, one after another."""
    dice = random.Random(4096)
    model: dict[int, int] = {}
    client.batch_remove([("test", set_name, n) for n in range(500)])
    with shaken(cluster, pause=0.03) as shakes:
        for turn in itertools.count():
            if len(shakes) > 15:
                break
            chosen = dice.sample(range(500), dice.randrange(1, 200))
            keys = [("test", set_name, n) for n in chosen]
            if dice.random() < 0.6:
                done = client.batch_write([(key, {"n": key[2], "t": turn}) for key in keys], WRITE)
                assert {row.result for row in done.batch_records} == {0}
                model.update(dict.fromkeys(chosen, turn))
            else:
                done = client.batch_remove(keys, WRITE)
                assert {row.result for row in done.batch_records} <= {0, 2}
                for n in chosen:
                    model.pop(n, None)
            read = dice.choice(READERS)
            found = read(getattr(client, dice.choice(["query", "scan"]))("test", set_name), POLICY)
            assert sorted((r.bins["n"], r.bins["t"]) for r in found) == sorted(model.items())


def test_a_node_lost_for_good_leaves_what_arrived(cluster, client, everywhere):
    cluster.fault("cut", classes="query", bytes=300_000, node=2)
    with pytest.raises(AerospikeError) as caught:
        client.query("test", "everywhere").results({"max_retries": 0})
    partial = numbers(caught.value.partial)
    assert len(set(partial)) == len(partial) > 0
    assert set(partial) < set(everywhere)
    cluster.clear_faults()
    query, found, cursor = client.query("test", "everywhere"), [], None
    with pytest.raises(AerospikeError):
        for page in query.pages(100, policy={"max_retries": 0}):
            found += numbers(page)
            cursor = page.cursor
            if len(found) == 500:
                cluster.fault("drop", classes="query", node=2)
    assert len(found) >= 500
    cluster.clear_faults()
    for page in query.pages(1000, cursor, policy=POLICY):
        found += numbers(page)
    assert sorted(found) == sorted(everywhere)
