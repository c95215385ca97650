"""A filter expression does its work in every command that takes a policy, in each of its forms."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from queries import READERS

import aerospike_py as aero
from aerospike_py import exception as e, exp
from aerospike_py.helpers import expressions as x
from aerospike_py.helpers.batch import records as rows
from aerospike_py.helpers.operations import operations

COUNT, LEAST = 6, 4
FORMS: dict[str, Any] = {
    "dict": exp.ge(exp.int_bin("i"), exp.int_val(LEAST)),
    "object": x.GE(x.IntBin("i"), LEAST),
    "flat list": x.GE(x.IntBin("i"), LEAST).compile(),
    "compiled": exp.compile(exp.ge(exp.int_bin("i"), exp.int_val(LEAST))),
}
#: Results of rows of a batch, in the order of the keys.
SOME = [27] * LEAST + [0] * (COUNT - LEAST)
PASSED = list(range(LEAST, COUNT))
SET_NEW = operations.write("new", 1)
MODULE = "function mark(rec) rec['new'] = 1 aerospike:update(rec) return 7 end"


@pytest.fixture(params=FORMS)
def passes(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A policy that lets records from number 4 on through."""
    name = "expressions" if request.param == "object" else "filter_expression"
    return {name: FORMS[request.param]}


@pytest.fixture
def keys(client: Any, set_name: str) -> list[Any]:
    made = [("test", set_name, i) for i in range(COUNT)]
    for i, key in enumerate(made):
        client.put(key, {"i": i, "s": "x"})
    return made


@pytest.fixture
def module(client: Any, tmp_path: Path) -> Iterator[str]:
    name = f"filters_{uuid.uuid4().hex[:10]}"
    (tmp_path / f"{name}.lua").write_text(MODULE)
    client.udf_put(str(tmp_path / f"{name}.lua"))
    yield name
    client.udf_remove(name)


def marked(client: Any, keys: list[Any]) -> list[int]:
    """Numbers of the records that were changed."""
    return [i for i, key in enumerate(keys) if "new" in client.get(key)[2]]


SINGLE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "get": lambda c, k, p: c.get(k, policy=p),
    "select": lambda c, k, p: c.select(k, ["i"], policy=p),
    "exists": lambda c, k, p: c.exists(k, policy=p),
    "put": lambda c, k, p: c.put(k, {"new": 1}, policy=p),
    "touch": lambda c, k, p: c.touch(k, policy=p),
    "append": lambda c, k, p: c.append(k, "s", "!", policy=p),
    "prepend": lambda c, k, p: c.prepend(k, "s", "!", policy=p),
    "increment": lambda c, k, p: c.increment(k, "n", 1, policy=p),
    "operate": lambda c, k, p: c.operate(k, [SET_NEW], policy=p),
    "operate_ordered": lambda c, k, p: c.operate_ordered(k, [operations.read("i")], policy=p),
    "remove_bin": lambda c, k, p: c.remove_bin(k, ["s"], policy=p),
    "remove": lambda c, k, p: c.remove(k, policy=p),
}


@pytest.mark.parametrize("name", SINGLE)
def test_commands_on_one_record(client: Any, keys: list[Any], passes: Any, name: str) -> None:
    before = client.get(keys[0])[2]
    with pytest.raises(e.FilteredOut) as caught:
        SINGLE[name](client, keys[0], passes)
    assert caught.value.code == 27
    assert client.get(keys[0])[2] == before
    SINGLE[name](client, keys[LEAST], passes)


def test_a_function_on_one_record(client: Any, keys: list[Any], passes: Any, module: str) -> None:
    with pytest.raises(e.FilteredOut):
        client.apply(keys[0], module, "mark", [], policy=passes)
    assert client.apply(keys[LEAST], module, "mark", [], policy=passes) == 7
    assert marked(client, keys) == [LEAST]


def results(found: Any) -> list[int]:
    return [row.result for row in found.batch_records]


BATCHES: dict[str, Callable[[Any, list[Any], Any], list[int]]] = {
    "batch_read": lambda c, k, p: results(c.batch_read(k, policy=p)),
    "batch_read of bins": lambda c, k, p: results(c.batch_read(k, ["i"], policy=p)),
    "batch_read of no bins": lambda c, k, p: results(c.batch_read(k, [], policy=p)),
    "batch_operate reads": lambda c, k, p: results(
        c.batch_operate(k, [operations.read("i")], policy=p)),
    "batch_operate": lambda c, k, p: results(c.batch_operate(k, [SET_NEW], policy=p)),
    "batch_write": lambda c, k, p: results(c.batch_write([(key, {"new": 1}) for key in k],
                                                         policy=p)),
    "batch_remove": lambda c, k, p: results(c.batch_remove(k, policy=p)),
    "mixed rows": lambda c, k, p: results(c.batch_write(rows.BatchRecords([
        [rows.Read(key, None, read_all_bins=True), rows.Write(key, [SET_NEW]),
         rows.Remove(key)][i % 3] for i, key in enumerate(k)]), policy=p)),
    "policies of rows": lambda c, k, p: results(c.batch_write(rows.BatchRecords([
        [rows.Read(key, None, read_all_bins=True, policy=p), rows.Write(key, [SET_NEW], policy=p),
         rows.Remove(key, policy=p)][i % 3] for i, key in enumerate(k)]))),
}


@pytest.mark.parametrize("name", BATCHES)
def test_batches(client: Any, keys: list[Any], passes: Any, name: str) -> None:
    assert BATCHES[name](client, keys, passes) == SOME
    assert [client.exists(key)[1] is not None for key in keys[:LEAST]] == [True] * LEAST
    assert marked(client, keys[:LEAST]) == []


def test_batches_of_a_function(client: Any, keys: list[Any], passes: Any, module: str) -> None:
    assert results(client.batch_apply(keys, module, "mark", [], policy=passes)) == SOME
    assert marked(client, keys) == PASSED


def test_batches_into_arrays(client: Any, keys: list[Any], passes: Any) -> None:
    np = pytest.importorskip("numpy")
    dtype = np.dtype([("i", "i8")])
    found = client.batch_read(keys, ["i"], policy=passes, _dtype=dtype)
    assert list(found.result_codes) == SOME
    assert list(found.batch_records["i"][LEAST:]) == PASSED


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["query", "scan"])
def test_queries_and_scans(client: Any, keys: list[Any], set_name: str, passes: Any, kind: str,
                           reader: str) -> None:
    made = getattr(client, kind)("test", set_name)
    found = READERS[reader](made, policy=passes)
    assert sorted(record[2]["i"] for record in found) == PASSED


def finish(client: Any, job: int, kind: str) -> None:
    module = aero.JOB_QUERY if kind == "query" else aero.JOB_SCAN
    while client.job_info(job, module)["status"] != aero.JOB_STATUS_COMPLETED:
        time.sleep(0.01)


@pytest.mark.parametrize("kind", ["query", "scan"])
def test_background_operations(client: Any, keys: list[Any], set_name: str, passes: Any,
                               kind: str) -> None:
    made = getattr(client, kind)("test", set_name).add_ops([SET_NEW])
    finish(client, made.execute_background(policy=passes), kind)
    assert marked(client, keys) == PASSED


@pytest.mark.parametrize("kind", ["query", "scan"])
def test_background_functions(client: Any, keys: list[Any], set_name: str, passes: Any,
                              module: str, kind: str) -> None:
    if kind == "query":
        made = client.query("test", set_name)
        made.apply(module, "mark", [])
        job = made.execute_background(policy=passes)
    else:
        job = client.scan_apply("test", set_name, module, "mark", [], policy=passes)
    finish(client, job, kind)
    assert marked(client, keys) == PASSED
