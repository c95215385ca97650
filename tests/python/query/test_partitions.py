"""Partition filters, where a query stands, pages and cursors."""

from __future__ import annotations

import random

import pytest
from queries import error_of, numbers

from aerospike_py import (
    partition_filter_all,
    partition_filter_by_id,
    partition_filter_by_range,
)
from aerospike_py.exception import ParamError

PARTITIONS = 4096


def partition_of(client, set_name, number):
    return client.get_key_partition_id("test", set_name, number)


@pytest.fixture
def parts(client, people, set_name):
    """The numbers of the records of each partition."""
    found: dict[int, set[int]] = {}
    for n in people:
        found.setdefault(partition_of(client, set_name, n), set()).add(n)
    return found


# ---- filters ----


def test_one_partition_is_read_alone(client, parts, set_name, make, read):
    for part in random.Random(1).sample(sorted(parts), 5):
        for chosen in (partition_filter_by_id(part), {"begin": part, "count": 1}):
            records = read(make(client, "test", set_name), policy={"partition_filter": chosen})
            assert set(numbers(records)) == parts[part]


def test_ranges_add_up_to_everything(client, people, set_name, make):
    cuts = [0, 1, 700, 701, 3000, 4095, PARTITIONS]
    found = []
    for begin, end in zip(cuts, cuts[1:], strict=False):
        for chosen in (partition_filter_by_range(begin, end - begin),
                       {"begin": begin, "count": end - begin}):
            part = numbers(make(client, "test", set_name).results({"partition_filter": chosen}))
        found += part
    assert sorted(found) == sorted(people)


def test_all_partitions_are_everything(client, people, set_name, make, read):
    for chosen in (partition_filter_all(), {}, {"begin": 0}, {"count": PARTITIONS}):
        query = make(client, "test", set_name)
        records = query.results({"partition_filter": chosen})
        assert sorted(numbers(records)) == sorted(people)
        assert query.is_done()


def test_no_partition_is_nothing(client, people, set_name, make):
    policy = {"partition_filter": partition_filter_by_range(5, 0)}
    assert make(client, "test", set_name).results(policy) == []


def test_a_handle_gives_callbacks_records_alone(client, people, set_name, make):
    seen = []
    make(client, "test", set_name).foreach(
        seen.append, {"partition_filter": partition_filter_all()})
    assert sorted(numbers(seen)) == sorted(people)


def test_a_dict_gives_callbacks_partitions_too(client, parts, set_name, make):
    seen: dict[int, set[int]] = {}
    make(client, "test", set_name).foreach(
        lambda part, record: seen.setdefault(part, set()).add(record.bins["n"]),
        {"partition_filter": {"begin": 0, "count": PARTITIONS}})
    assert seen == parts


@pytest.mark.parametrize(("chosen", "text"), [
    ({"begin": -1}, "begin must be an int between 0 and 4095"),
    ({"begin": 4096}, "begin must be an int between 0 and 4095"),
    ({"begin": "0"}, "begin must be an int"),
    ({"count": -1}, "count must be an int between 1 and 4096"),
    ({"count": 0}, "count must be an int between 1 and 4096"),
    ({"count": 4097}, "count must be an int between 1 and 4096"),
    ({"begin": 4000, "count": 97}, "begin: 4000 count: 97"),
    ({"digest": {"value": "x" * 20}}, "init must be an int"),
    ({"digest": {"init": 1, "value": "short"}}, "20 bytes"),
    ({"digest": {"init": 1}}, "20 bytes"),
    ({"digest": 5}, "20 bytes"),
    ({"partition_status": 5}, "partition_status must be a dict"),
    ({"partition_status": {"retry": 1}}, "missing key 'done'"),
    ({"partition_status": {"done": 1}}, "missing key 'retry'"),
    ({"partition_status": {"done": "1", "retry": 1}}, "key 'done' must be an int"),
    ({"partition_status": {"done": 0, "retry": None}}, "key 'retry' must be an int"),
    (5, "partition_filter must be a dict"),
    ("all", "partition_filter must be a dict"),
    (b"no cursor", "cursor"),
    (b"", "cursor"),
])
def test_malformed_filters_are_refused(client, set_name, make, chosen, text):
    with pytest.raises(ParamError) as caught:
        make(client, "test", set_name).results({"partition_filter": chosen})
    assert text in str(caught.value)


@pytest.mark.parametrize(("entry", "what"), [
    ((7, "1", 0, bytearray(20), 0), "init"), ((7, 1, "0", bytearray(20), 0), "retry"),
    ((7, 1, 0, b"x" * 20, 0), "digest value"), ((7, 1, 0, bytearray(3), 0), "digest value"),
    ((7, 1, 0, bytearray(20), "0"), "bval"), ((7, 1, 0, bytearray(20), 2**64), "bval"),
    ((7, 1), "tuple"), (5, "tuple")])
def test_malformed_entries_of_a_status_are_refused(client, set_name, make, entry, what):
    chosen = {"partition_status": {"done": False, "retry": True, 7: entry}}
    error = error_of(lambda: make(client, "test", set_name).results({"partition_filter": chosen}))
    assert isinstance(error, ParamError)
    assert f"invalid {what} for part_id: 7" in str(error)


def test_a_digest_is_where_its_partition_goes_on(client, people, set_name, make):
    order = make(client, "test", set_name).results({"partition_filter": {"begin": 0}})
    by_part: dict[int, list] = {}
    for record in order:
        by_part.setdefault(partition_of(client, set_name, record.bins["n"]), []).append(record)
    part, records = max(by_part.items(), key=lambda item: len(item[1]))
    chosen = {"begin": part, "count": 1, "digest": records[0].key.digest}
    rest = make(client, "test", set_name).results({"partition_filter": chosen})
    assert numbers(rest) == numbers(records[1:])


# ---- where a query stands ----


def test_nothing_is_known_before_it_is_tracked(client, people, set_name, make):
    query = make(client, "test", set_name)
    assert query.get_partitions_status() == query.get_parts() == {}
    assert query.is_done() is False
    query.results()
    assert query.get_partitions_status() == {}
    assert query.is_done() is False


def test_a_status_resumes_exactly_where_it_stopped(client, people, set_name, make, read):
    first, seen = make(client, "test", set_name), []

    def callback(part, record):
        seen.append(record)
        return len(seen) < 200

    first.foreach(callback, {"partition_filter": {"begin": 0, "count": PARTITIONS}})
    status = first.get_partitions_status()
    assert len(seen) == 200
    assert status["done"] is False
    assert len([part for part in status if isinstance(part, int)]) == PARTITIONS
    part, init, retry, digest, bval = status[17]
    assert part == 17
    assert isinstance(init, bool) and isinstance(retry, bool) and isinstance(bval, int)
    assert isinstance(digest, bytearray) and len(digest) == 20
    second = make(client, "test", set_name)
    rest = second.results({"partition_filter": {"partition_status": status}})
    assert sorted(numbers(seen) + numbers(rest)) == sorted(people)
    assert second.is_done()
    assert second.get_partitions_status()["done"] is True


def test_a_status_may_lack_the_values_of_an_index(client, people, set_name):
    query = client.query("test", set_name)
    found = query.results({"max_records": 99, "partition_filter": {}})
    status = query.get_partitions_status()
    for part in range(PARTITIONS):
        status[part] = status[part][:4]
    status[99999] = "unknown partitions do not matter"
    rest = client.query("test", set_name).results(
        {"partition_filter": {"partition_status": status}})
    assert sorted(numbers(found) + numbers(rest)) == sorted(people)


# ---- pagination ----


@pytest.mark.parametrize("size", [1, 100, 599, 600, 601, 5000])
def test_paginating_gives_every_record_once(client, people, set_name, make, size):
    query = make(client, "test", set_name)
    assert query.paginate() is True
    query.max_records = size
    found, pages = [], 0
    while not query.is_done() and pages < 5:
        page = numbers(query.results())
        assert len(page) <= size
        found += page
        pages += 1
    while not query.is_done():
        page = numbers(query.results({"max_records": 200}))
        assert len(page) <= 200
        found += page
    assert sorted(found) == sorted(people)
    assert query.results() == []


def test_paginating_works_with_callbacks_and_loops(client, people, set_name, make):
    query, seen = make(client, "test", set_name), []
    query.paginate()
    query.max_records = 150
    query.foreach(seen.append)
    assert len(seen) == 150
    seen += list(query)
    assert len(seen) == 300
    seen += query.results({"max_records": 1000})
    assert sorted(numbers(seen)) == sorted(people)


def test_paginating_within_a_filter_keeps_to_it(client, parts, set_name, make):
    wanted = sorted(n for part, found in parts.items() if part < 1000 for n in found)
    query, found = make(client, "test", set_name), []
    query.paginate()
    while not query.is_done():
        found += numbers(query.results({"max_records": 20,
                                        "partition_filter": partition_filter_by_range(0, 1000)}))
    assert sorted(found) == wanted


# ---- pages ----


@pytest.mark.parametrize("size", [37, 300, 600, 10_000])
def test_pages_have_every_record_once(client, people, set_name, make, size):
    pages = list(make(client, "test", set_name).pages(size))
    assert sorted(n for page in pages for n in numbers(page)) == sorted(people)
    assert all(len(page) == size for page in pages[:-1])
    assert all(isinstance(page.cursor, bytes) for page in pages[:-1])
    assert pages[-1]
    if pages[-1].cursor is not None:  # the server had not looked behind the last record
        assert len(pages[-1]) == size
        assert make(client, "test", set_name).results({"partition_filter": pages[-1].cursor}) == []


def test_an_empty_set_has_one_empty_page(client, set_name, make):
    (page,) = make(client, "test", set_name).pages(10)
    assert page == []
    assert page.cursor is None


def test_a_cursor_goes_on_elsewhere(client, people, set_name, make, make_client):
    page = next(iter(make(client, "test", set_name).pages(123)))
    found = numbers(page)
    other = make(make_client(), "test", set_name)
    rest = list(other.pages(1000, page.cursor))
    assert sorted(found + [n for page in rest for n in numbers(page)]) == sorted(people)
    again = make(client, "test", set_name).results({"partition_filter": page.cursor})
    assert sorted(found + numbers(again)) == sorted(people)


def test_pages_stay_apart_while_records_come_and_go(client, people, set_name, make):
    seen: list[int] = []
    for at, page in enumerate(make(client, "test", set_name).pages(50)):
        seen += numbers(page)
        for n in numbers(page)[:10]:
            client.remove(("test", set_name, n))
        client.put(("test", set_name, 10_000 + at), {"n": 10_000 + at})
    assert len(seen) == len(set(seen))
    assert set(people) <= set(seen)


def test_pages_obey_filters(client, parts, set_name, make):
    wanted = sorted(n for part, found in parts.items() if part >= 4000 for n in found)
    policy = {"partition_filter": {"begin": 4000}}
    pages = make(client, "test", set_name).pages(3, policy=policy)
    assert sorted(n for page in pages for n in numbers(page)) == wanted


@pytest.mark.parametrize(("size", "kind"), [(0, ValueError), (-1, ValueError), ("5", TypeError),
                                            (1.5, TypeError), (2**70, OverflowError)])
def test_the_size_of_a_page_is_checked(client, set_name, make, size, kind):
    with pytest.raises(ParamError) as caught:
        make(client, "test", set_name).pages(size)
    assert isinstance(caught.value, kind)


@pytest.mark.parametrize("cursor", [5, "cursor", b"nonsense", b"", b"\0" * 5000])
def test_a_cursor_is_checked(client, set_name, make, cursor):
    with pytest.raises(ParamError, match="cursor"):
        list(make(client, "test", set_name).pages(5, cursor))
