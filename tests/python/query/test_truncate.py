"""Truncating sets, and what else is asked by info commands."""

from __future__ import annotations

import time

import pytest
from queries import error_of, fill, numbers

from aerospike_py.exception import (
    AerospikeError,
    ClientError,
    InvalidRequest,
    NamespaceNotFound,
    NotConnected,
    ParamError,
)


def eventually_gone(client, set_name):
    by = time.monotonic() + 30
    while client.query("test", set_name).results():
        assert time.monotonic() < by
        time.sleep(0.01)
    return True


def test_all_records_of_a_set_go(client, people, set_name):
    time.sleep(0.01)
    assert client.truncate("test", set_name) == 0
    assert eventually_gone(client, set_name)


def test_other_sets_stay(client, people, set_name):
    other = set_name + "o"
    fill(client, other, 10)
    time.sleep(0.01)
    client.truncate("test", set_name, 0)
    assert eventually_gone(client, set_name)
    assert sorted(numbers(client.query("test", other).results())) == list(range(10))
    client.truncate("test", other)


def test_later_records_stay(client, set_name):
    fill(client, set_name, 50)
    time.sleep(0.05)
    cut = time.time_ns()
    time.sleep(0.05)
    client.put(("test", set_name, 1000), {"n": 1000})
    client.put(("test", set_name, 7), {"n": 7})
    client.truncate("test", set_name, cut)
    by = time.monotonic() + 30
    while sorted(numbers(client.query("test", set_name).results())) != [7, 1000]:
        assert time.monotonic() < by
        time.sleep(0.01)


@pytest.mark.parametrize("nanos", [1, 2**31 + 1, 2**63 + 1, 2**64 - 1])
def test_times_out_of_reach_are_refused(client, set_name, nanos):
    with pytest.raises(InvalidRequest):
        client.truncate("test", set_name, nanos)


def test_empty_names_are_refused(client, set_name):
    with pytest.raises(NamespaceNotFound):
        client.truncate("", set_name)
    with pytest.raises(InvalidRequest):
        client.truncate("test", "")


@pytest.mark.parametrize(("args", "text"), [
    *(((bad, "s"), "Namespace must be") for bad in (1, 0.5, None, False, {}, (), [])),
    *((("test", bad), "Set must be") for bad in (1, 0.5, False, {}, (), [])),
    *((("test", "s", bad), "Nanoseconds") for bad in ("zero", 0.5, None, {}, (), [], -1, 2**64)),
    (("test", "s;set=t"), "must not contain")])
def test_arguments_are_checked(face, args, text):
    error = error_of(lambda: face.truncate(*args, *([0] if len(args) == 2 else [])))
    assert isinstance(error, ParamError)
    assert text in error.msg


def test_a_bad_policy_is_refused(client, strict, set_name):
    with pytest.raises(ParamError):
        client.truncate("test", set_name, 0, 5)
    error = error_of(lambda: strict.truncate("test", set_name, 0, 5))
    assert type(error) is ClientError
    assert error.msg == "Incorrect Policy -> policy must be a dict"


def test_the_strict_face_wants_a_time(strict, set_name):
    with pytest.raises(TypeError, match="nanos"):
        strict.truncate("test", set_name)


def test_official_names_of_arguments_work(face, set_name):
    assert face.truncate(ns="test", set=set_name, nanos=0) == 0
    with pytest.raises(TypeError):
        face.truncate("test", set_name, 0, {}, 1)


def test_a_closed_client_truncates_nothing(make_client, set_name):
    own = make_client()
    own.close()
    with pytest.raises(NotConnected):
        own.truncate("test", set_name)


def test_filters_of_data_centers_need_an_enterprise_server(client):
    with pytest.raises(AerospikeError):
        client.set_xdr_filter("dc", "test", None)
    for args in ((1, "test", None), ("dc", 1, None), ("dc", "test", "bad_filter"),
                 ("dc", "test", 5)):
        with pytest.raises(ParamError):
            client.set_xdr_filter(*args)
