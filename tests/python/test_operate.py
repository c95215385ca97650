"""operate and operate_ordered with operations on bins."""

from __future__ import annotations

import warnings

import pytest

import aerospike_py
from aerospike_py import exception as ex, map_operations, official
from aerospike_py.helpers.operations import map_operations as official_maps, operations as helpers

READ, WRITE = aerospike_py.OPERATOR_READ, aerospike_py.OPERATOR_WRITE
INCR, APPEND = aerospike_py.OPERATOR_INCR, aerospike_py.OPERATOR_APPEND
PREPEND, TOUCH = aerospike_py.OPERATOR_PREPEND, aerospike_py.OPERATOR_TOUCH
DELETE = aerospike_py.OPERATOR_DELETE


def op(code, bin=None, val=None, **more):
    """An operation, without what is not given."""
    given = {"op": code, "bin": bin, "val": val, **more}
    return {name: value for name, value in given.items() if value is not None}


def strict_op(code, bin=None, val=None):
    numbers = {READ: official.OPERATOR_READ, WRITE: official.OPERATOR_WRITE,
               INCR: official.OPERATOR_INCR, DELETE: official.OPERATOR_DELETE}
    return op(numbers.get(code, code), bin, val)


# ---- what they do ----


def test_operations_run_in_order(client, key):
    client.put(key, {"n": 1, "s": "b"})
    record = client.operate(key, [
        op(INCR, "n", 4), op(APPEND, "s", "c"), op(PREPEND, "s", "a"), op(WRITE, "w", [1]),
        op(READ, "n"), op(READ, "s"), op(READ, "w")])
    assert record.bins == {"n": 5, "s": "abc", "w": [1]}
    assert record.meta.gen == 2
    assert record.key.user_key == key[2]
    assert type(record) is aerospike_py.Record


def test_the_same_on_the_strict_face(strict, key):
    strict.put(key, {"n": 1, "s": "b"})
    at, meta, bins = strict.operate(key, [
        strict_op(INCR, "n", 4), strict_op(APPEND, "s", "c"), strict_op(READ, "n"),
        strict_op(READ, "s")])
    assert bins == {"n": 5, "s": "bc"}
    assert type(meta) is dict
    assert at[2] == key[2]  # unlike get, the key is echoed


def test_only_writes_give_no_bins(face, key):
    assert face.operate(key, [op(APPEND, "s", "x")])[2] == {}
    assert face.operate_ordered(key, [op(APPEND, "s", "x")])[2] == []


def test_of_several_results_for_a_bin_the_last_counts(client, key):
    client.put(key, {"n": 1})
    record = client.operate(key, [op(READ, "n"), op(INCR, "n", 1), op(READ, "n")])
    assert record.bins == {"n": 2}


def test_operate_ordered_keeps_every_result(client, key):
    client.put(key, {"n": 1, "s": "x"})
    result = client.operate_ordered(key, [
        op(READ, "n"), op(INCR, "n", 1), op(READ, "s"), op(READ, "n")])
    assert type(result) is aerospike_py.OperateOrderedResult
    assert result.ordered_bins == [("n", 1), ("s", "x"), ("n", 2)]
    assert all(type(b) is aerospike_py.BinTuple for b in result.ordered_bins)
    assert result.ordered_bins[0].name == "n"
    assert result.ordered_bins[0].value == 1
    assert result.meta.gen == 2
    assert result.key.user_key == key[2]


def test_operate_ordered_of_the_strict_face(strict, key):
    strict.put(key, {"n": 1})
    _, meta, bins = strict.operate_ordered(key, [strict_op(INCR, "n", 4), strict_op(READ, "n")])
    assert bins == [("n", 5)]
    assert type(bins[0]) is tuple
    assert meta["gen"] == 2


def test_a_read_of_the_whole_record(client, key):
    client.put(key, {"a": 1, "b": 2})
    assert client.operate(key, [op(READ)]).bins == {"a": 1, "b": 2}


def test_a_bin_that_is_missing_is_left_out(face, key):
    face.put(key, {"a": 1})
    read = op(official.OPERATOR_READ if "official" in type(face).__module__ else READ, "nowhere")
    assert face.operate(key, [read])[2] == {}
    assert face.operate_ordered(key, [read])[2] == []


def test_a_read_of_a_missing_record(client, key):
    with pytest.raises(ex.RecordNotFound) as e:
        client.operate(key, [op(READ, "a")])
    assert e.value.key == key


def test_a_write_creates_the_record(client, key):
    assert client.operate(key, [op(WRITE, "a", 1), op(READ, "a")]).bins == {"a": 1}


@pytest.mark.parametrize("nothing", [None, aerospike_py.null()])
def test_writing_none_removes_a_bin(client, key, nothing):
    client.put(key, {"a": 1, "b": 2})
    record = client.operate(key, [{"op": WRITE, "bin": "a", "val": nothing}, op(READ, "a")])
    assert record.bins == {}
    assert client.get(key).bins == {"b": 2}


def test_touch_needs_no_bin(client, key):
    client.put(key, {"a": 1})
    assert client.operate(key, [op(TOUCH)]).meta.gen == 2


@pytest.mark.needs_ttl
def test_touch_sets_the_ttl(face, key):
    face.put(key, {"a": 1})
    face.operate(key, [op(TOUCH, val=300)])
    assert 290 <= face.get(key)[1]["ttl"] <= 300
    face.operate(key, [op(TOUCH)], {"ttl": 600})
    assert 590 <= face.get(key)[1]["ttl"] <= 600
    face.operate(key, [op(TOUCH)], policy={"ttl": 900})
    assert 890 <= face.get(key)[1]["ttl"] <= 900


def test_delete(client, strict, key):
    for one, code in ((client, DELETE), (strict, official.OPERATOR_DELETE)):
        client.put(key, {"a": 1})
        one.operate(key, [op(code)])
        assert client.exists(key).meta is None
        with pytest.raises(ex.RecordNotFound):
            one.operate(key, [op(code)])


def test_read_and_delete(client, key):
    client.put(key, {"a": 1})
    assert client.operate(key, [op(READ, "a"), op(DELETE)]).bins == {"a": 1}
    assert client.exists(key).meta is None


def test_floats_bytes_and_blobs(client, key):
    client.put(key, {"f": 1.5, "b": b"b"})
    record = client.operate(key, [
        op(INCR, "f", 0.25), op(APPEND, "b", b"c"), op(PREPEND, "b", bytearray(b"a")),
        op(READ, "f"), op(READ, "b")])
    assert record.bins == {"f": 1.75, "b": b"abc"}


def test_an_operation_that_fails_leaves_all_undone(client, key):
    client.put(key, {"n": 1, "s": "x"})
    with pytest.raises(ex.BinTypeError):
        client.operate(key, [op(INCR, "n", 1), op(INCR, "s", 1)])
    assert client.get(key).bins == {"n": 1, "s": "x"}
    assert client.get(key).meta.gen == 1


def test_generation_policies(face, key):
    face.put(key, {"s": "x"})
    for meta, policy in (({"gen": 9}, {"gen": 1}), ({"gen": 1}, {"gen": 2})):
        with pytest.raises(ex.RecordGenerationError):
            face.operate(key, [op(APPEND, "s", "y")], meta, policy)
    face.operate(key, [op(APPEND, "s", "y")], {"gen": 1}, {"gen": 1})
    assert face.get(key)[2] == {"s": "xy"}


def test_a_generation_alone_is_expected(client, key):
    client.put(key, {"s": "x"})
    with pytest.raises(ex.RecordGenerationError):
        client.operate(key, [op(APPEND, "s", "y")], {"gen": 9})


def test_exists_policies(client, key):
    with pytest.raises(ex.RecordNotFound):
        client.operate(key, [op(WRITE, "a", 1)],
                       policy={"exists": aerospike_py.POLICY_EXISTS_UPDATE_ONLY})
    client.operate(key, [op(WRITE, "a", 1)],
                   policy={"exists": aerospike_py.POLICY_EXISTS_CREATE_ONLY})
    with pytest.raises(ex.RecordExistsError):
        client.operate(key, [op(WRITE, "a", 1)],
                       policy={"exists": aerospike_py.POLICY_EXISTS_CREATE_ONLY})


def test_a_raw_number_is_an_operation(client, key):
    client.put(key, {"a": 1})
    assert client.operate(key, [{"op": 1, "bin": "a"}]).bins == {"a": 1}


def test_helpers_build_operations(client, key):
    record = client.operate(key, [
        helpers.write("n", 1), helpers.increment("n", 2), helpers.write("s", "b"),
        helpers.append("s", "c"), helpers.prepend("s", "a"), helpers.read("n"),
        helpers.read("s")])
    assert record.bins == {"n": 3, "s": "abc"}
    client.operate(key, [helpers.touch()])
    client.operate(key, [helpers.delete()])
    assert client.exists(key).meta is None


def test_many_operations(client, key):
    client.operate(key, [op(WRITE, f"b{i}", i) for i in range(200)])
    result = client.operate_ordered(key, [op(READ, f"b{i}") for i in range(200)])
    assert result.ordered_bins == [(f"b{i}", i) for i in range(200)]


def test_both_names_of_the_argument(client, strict, key):
    client.operate(key, ops=[op(WRITE, "a", 1)])
    client.operate(key, list=[op(WRITE, "a", 1)])
    client.operate_ordered(key=key, list=[op(WRITE, "a", 1)])
    with pytest.raises(TypeError):
        client.operate(key, ops=[], list=[])
    assert strict.operate(key, list=[strict_op(READ, "a")])[2] == {"a": 1}


# ---- what is refused ----


@pytest.mark.parametrize("call", ["operate", "operate_ordered"])
@pytest.mark.parametrize("bad", [None, {}, "ops", 1, ({"op": 1, "bin": "a"},)])
def test_operations_are_a_list(face, key, call, bad):
    with pytest.raises(ex.ParamError) as e:
        getattr(face, call)(key, bad)
    assert e.value.msg == "Operations should be of type list"
    assert isinstance(e.value, TypeError)


@pytest.mark.parametrize("call", ["operate", "operate_ordered"])
def test_a_list_of_no_operations(face, key, call):
    with pytest.raises(ex.ParamError, match="No operations"):
        getattr(face, call)(key, [])
    with pytest.raises(ex.ServerError):
        getattr(face, call)(key, [])


@pytest.mark.parametrize("bad", [None, "op", 1, [], ("op", 1)])
def test_an_operation_is_a_dict(client, strict, key, bad):
    for call in (client.operate, client.operate_ordered, strict.operate_ordered):
        with pytest.raises(ex.ParamError, match="(?i)operation"):
            call(key, [op(TOUCH), bad])
        with pytest.raises(TypeError):
            call(key, [bad])


def test_the_strict_face_skips_what_is_no_dict(strict, key):
    strict.put(key, {"a": 1})
    assert strict.operate(key, ["x", strict_op(READ, "a"), 5])[2] == {"a": 1}


BAD = [
    ({}, "op"), ({"bin": "a"}, "op"), ({"op": "1", "bin": "a"}, "op"), ({"op": None}, "op"),
    ({"op": 999, "bin": "a"}, "999|op"), ({"op": -1, "bin": "a"}, "op"),
    ({"op": WRITE, "val": 1}, "(?i)bin"), ({"op": INCR, "val": 1}, "(?i)bin"),
    ({"op": WRITE, "bin": 5, "val": 1}, "(?i)bin"), ({"op": WRITE, "bin": [], "val": 1}, "(?i)bin"),
    ({"op": WRITE, "bin": {}, "val": 1}, "(?i)bin"),
    ({"op": WRITE, "bin": ("a",), "val": 1}, "(?i)bin"),
    ({"op": WRITE, "bin": None, "val": 1}, "(?i)bin"),
    ({"op": WRITE, "bin": "a"}, "(?i)val"), ({"op": INCR, "bin": "a"}, "(?i)val"),
    ({"op": APPEND, "bin": "a"}, "(?i)val"), ({"op": PREPEND, "bin": "a"}, "(?i)val"),
    ({"op": APPEND, "bin": "a", "val": 1}, "(?i)val|concat"),
    ({"op": PREPEND, "bin": "a", "val": 1}, "(?i)val|concat"),
    ({"op": INCR, "bin": "a", "val": "3"}, "(?i)val|operand"),
    ({"op": TOUCH, "val": "x"}, "(?i)touch"),
    ({"op": WRITE, "bin": "a", "val": object()}, "(?i)type"),
]


@pytest.mark.parametrize("bad, said", BAD, ids=lambda v: str(v)[:40])
@pytest.mark.parametrize("call", ["operate", "operate_ordered"])
def test_a_malformed_operation(client, key, call, bad, said):
    with pytest.raises(ex.ParamError, match=said):
        getattr(client, call)(key, [op(TOUCH), bad])
    assert client.exists(key).meta is None


def test_the_text_says_which_operation(client, key):
    with pytest.raises(ex.ParamError, match="operation 1"):
        client.operate(key, [op(WRITE, "a", 1), op(WRITE, "b")])


STRICT_TEXTS = [
    ({"op": official.OPERATOR_WRITE, "val": 1}, "Bin is not given"),
    ({"op": official.OPERATOR_WRITE, "bin": 5, "val": 1}, "Bin name should be of type string"),
    ({"op": official.OPERATOR_WRITE, "bin": "a"}, "Value should be given"),
    ({"op": 999, "bin": "a"}, "Invalid operation given"),
    ({"op": official.OPERATOR_READ, "bin": "a", "aa": 1},
     "Operation can contain only op, bin, index, key, val, return_type and map_policy keys"),
    ({"op": official.OPERATOR_TOUCH, "val": "x"},
     "Unsupported operand type(s) for touch : only int or long allowed"),
    ({"op": official.OPERATOR_APPEND, "bin": "a", "val": 1},
     "Cannot concatenate 'str' and 'non-str' objects"),
    ({"op": official.OPERATOR_INCR, "bin": "a", "val": "3"},
     "Unsupported operand type(s) for +: only 'int' allowed"),
]


@pytest.mark.parametrize("bad, text", STRICT_TEXTS, ids=lambda v: str(v)[:40])
def test_the_texts_of_the_strict_face(strict, key, bad, text):
    with pytest.raises(ex.ParamError) as e:
        strict.operate(key, [bad])
    assert e.value.msg == text
    assert e.value.code == -2


def test_a_long_bin_name(face, key):
    with pytest.raises(ex.BinNameError) as e:
        face.operate(key, [op(APPEND, "sixteen-bytes-..", "x")])
    assert e.value.code == 21
    assert face.exists(key)[1] is None


def test_bad_policies_come_before_bad_operations(face, key):
    with pytest.raises(ex.ParamError, match="policy"):
        face.operate(key, [{"op": "x"}], None, "")
    with pytest.raises(ex.ParamError, match="key"):
        face.operate("", [{"op": "x"}], None, "")


def test_numbers_of_64_bits(client, key):
    with pytest.raises(OverflowError):
        client.operate(key, [op(INCR, "a", 2**63)])
    with pytest.raises(OverflowError):
        client.operate(key, [op(WRITE, "a", -(2**63) - 1)])


def test_the_text_says_which_entry_is_unknown(client, key):
    with pytest.raises(ex.ParamError, match="'typo'.*operation 0"):
        client.operate(key, [{"op": WRITE, "bin": "a", "val": 1, "typo": 1}])


class Name(str):
    """A str that is no str to those who look at types or addresses."""

    __slots__ = ()


def test_names_of_entries_need_not_be_literals(client, key):
    made = {"".join(letters): value for letters, value in
            [(("o", "p"), WRITE), (("b", "in"), "a"), (("v", "al"), 7)]}
    client.operate(key, [made, {Name("op"): WRITE, Name("bin"): "b", Name("val"): 8}])
    assert client.get(key).bins == {"a": 7, "b": 8}
    with pytest.raises(ex.ParamError, match="'typo'.*operation 0"):
        client.operate(key, [{Name("typo"): 1, **made}])
    with pytest.raises(ex.ParamError, match="5.*operation 0"):
        client.operate(key, [{5: 1, **made}])


def test_an_operation_that_changes_while_it_is_read(make_client, client, key):
    """What a serializer does to the dict is not seen by the operation that is being read."""
    ops = [map_operations.map_put("m", "k", [object()]), map_operations.map_size("m")]

    def serialize(value):
        for op in ops:
            op.clear()
        ops[1].update(map_operations.map_put("m", "l", 2))
        return b"made"

    own = make_client(serialization=(serialize, None))
    assert own.operate(key, ops).bins == {"m": 2}
    assert client.get(key).bins == {"m": {"k": [b"made"], "l": 2}}


# ---- without strict types ----


def test_without_strict_types_the_server_judges(make_client, key):
    client = make_client(strict_types=False)
    client.append(key, "s", 4)
    client.prepend(key, "m", {"a": 1})
    client.increment(key, "t", "text")
    assert client.get(key).bins == {"s": 4, "m": {"a": 1}, "t": "text"}
    with pytest.raises(ex.BinTypeError):
        client.append(key, "s", "x")
    with pytest.raises(ex.BinNameError):
        client.put(key, {"sixteen-bytes-..": 1})


def test_the_strict_face_without_strict_types(make_strict, key):
    client = make_strict(strict_types=False)
    client.append(key, "s", 4)
    assert client.get(key)[2] == {"s": 4}
    with pytest.raises(ex.BinIncompatibleType):
        client.append(key, "s", "x")


def test_a_deprecated_ttl_in_meta_is_only_that(strict, key):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        strict.operate(key, [strict_op(WRITE, "a", 1)], {"ttl": 0})


# ---- operations that answer nothing ----


def test_what_answers_nothing_is_left_out(client, key):
    client.put(key, {"m": {"a": 1, "b": 2}, "x": b"\x01\x02"})
    for op in (map_operations.map_get_by_key("m", "none", aerospike_py.MAP_RETURN_VALUE),
               map_operations.map_get_by_key("m", "a", aerospike_py.MAP_RETURN_NONE),
               map_operations.map_set_order("m", aerospike_py.MAP_KEY_ORDERED),
               aerospike_py.bit_operations.bit_resize("x", 4),
               aerospike_py.hll_operations.hll_init("h", 10)):
        assert client.operate(key, [op]).bins == {}
        assert client.operate_ordered(key, [op]).ordered_bins == []


def test_an_answer_is_not_lost_to_an_operation_that_has_none(client, key):
    client.put(key, {"m": {"a": 1, "b": 2}})
    ops = [map_operations.map_get_by_key("m", "b", aerospike_py.MAP_RETURN_VALUE),
           map_operations.map_clear("m")]
    assert client.operate(key, ops).bins == {"m": 2}
    assert client.get(key).bins == {"m": {}}


def test_the_official_helpers_give_none(client, key):
    client.put(key, {"m": {"a": 1}})
    op = official_maps.map_get_by_key("m", "none", aerospike_py.MAP_RETURN_VALUE)
    assert client.operate(key, [op]).bins == {"m": None}
    assert client.operate_ordered(key, [op]).ordered_bins == [("m", None)]


# ---- refused before it is sent ----


@pytest.mark.parametrize("number", [-1, 9 + 5, 18, 99])
def test_there_is_no_such_return_type(client, key, number):
    with pytest.raises(ValueError, match="return_type"):
        client.operate(key, [map_operations.map_get_by_key("m", "a", number)])


def test_an_empty_list_is_what_the_server_would_refuse(client, key):
    for method in (client.operate, client.operate_ordered):
        with pytest.raises(aerospike_py.ServerError) as caught:
            method(key, [])
        assert caught.value.result_code == 4
