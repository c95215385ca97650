"""Expressions: filters everywhere, operations that evaluate, and the objects themselves."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import aerospike_py as aero
from aerospike_py import exception as e, exp
from aerospike_py.helpers import expressions as x
from aerospike_py.helpers.operations import expression_operations as ops, operations

RECORD = {"i": 42, "f": 2.5, "s": "hello", "t": True, "l": [5, 1], "m": {"a": 1}, "b": b"\x01"}
ADULT = exp.ge(exp.int_bin("i"), exp.int_val(18))
FORMS = {
    "dict": ADULT,
    "compiled dict": exp.compile(ADULT),
    "object": x.GE(x.IntBin("i"), 18),
    "flat list": x.GE(x.IntBin("i"), 18).compile(),
    "compiled object": exp.compile(x.GE(x.IntBin("i"), 18)),
    "base64": exp.from_base64("kwSTUQKhaRI="),
}


@pytest.fixture
def held(client: Any, key: Any) -> Any:
    client.put(key, dict(RECORD), policy={"key": aero.POLICY_KEY_SEND})
    return key


@pytest.fixture
def read(client: Any, held: Any) -> Any:
    """The value of an expression."""
    def run(tree: Any, flags: int = 0) -> Any:
        op = ops.expression_read("v", tree, flags)
        return client.operate(held, [op])[2].get("v")

    return run


# ---- the objects ----


def test_exp_gives_plain_dicts() -> None:
    """To the letter, as users of the Rust package rely on."""
    assert ADULT == {"__expr__": "ge", "left": {"__expr__": "int_bin", "name": "i"},
                     "right": {"__expr__": "int_val", "val": 18}}
    assert type(ADULT) is dict


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_bytes(form: str) -> None:
    made = exp.compile(FORMS[form])
    assert made.to_base64() == "kwSTUQKhaRI=" and bytes(made).hex() == "9304935102a16912"
    assert exp.compile(made) is made
    assert made == exp.from_base64(made.to_base64()) and hash(made) == hash(exp.compile(ADULT))
    assert repr(made) == "<Expression ge(int_bin('i'), 18)>"


@pytest.mark.parametrize("made", [FORMS["object"], FORMS["compiled dict"]])
def test_objects_are_values(made: Any) -> None:
    for twin in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert twin == made and hash(twin) == hash(made) and repr(twin) == repr(made)
        assert twin.to_base64() == made.to_base64()
    assert {made: 1}[pickle.loads(pickle.dumps(made))] == 1
    assert made != x.GT(x.IntBin("i"), 18) and made != 5
    for name in ("_children", "_op", "new"):
        with pytest.raises(AttributeError):
            setattr(made, name, ())


def test_objects_keep_copies_of_what_changes() -> None:
    items: list[Any] = [1, {"a": [2]}]
    tree = x.ListAppendItems(None, None, items, "l")
    before = tree.to_base64()
    items[1]["a"].append(3)
    items.append(4)
    tree.compile()[1][2]["val"].append(5)
    assert tree.to_base64() == before == pickle.loads(pickle.dumps(tree)).to_base64()


def test_reprs_can_be_read() -> None:
    tree = x.And(x.GT(x.IntBin("a") + 2, 5), x.Not(x.BinExists("b")))
    assert repr(tree) == "And(GT(Add(IntBin(bin='a'), 2), 5), Not(BinExists(bin='b')))"
    assert repr(exp.compile(tree)).startswith("<Expression and(gt(add(int_bin('a'), 2), 5)")


def test_one_and_true_are_not_equal() -> None:
    assert x.Val(1) != x.Val(True) and x.Val(1) != x.Val(1.0)


@pytest.mark.parametrize("bad", ["", "no base64!", "kwSTUQKh", "/////w=="])
def test_bad_base64(bad: str) -> None:
    with pytest.raises(e.ParamError) as caught:
        exp.from_base64(bad)
    assert isinstance(caught.value, ValueError)


def test_base64_of_a_client(client: Any, strict: Any) -> None:
    for made in FORMS.values():
        assert client.get_expression_base64(made) == "kwSTUQKhaRI="
    six = x.Eq(x.IntBin("bin1"), 6).compile()
    assert strict.get_expression_base64(six) == "kwGTUQKkYmluMQY="
    for bad in ("bad", ["hi"], []):
        with pytest.raises(e.ParamError):
            strict.get_expression_base64(bad)


# ---- filters ----


@pytest.mark.parametrize("name", ["filter_expression", "expressions"])
@pytest.mark.parametrize("form", FORMS)
def test_filters_of_every_command(client: Any, held: Any, form: str, name: str) -> None:
    passes = {name: FORMS[form]}
    fails = {name: exp.compile(exp.lt(exp.int_bin("i"), exp.int_val(18)))}
    commands = [
        lambda p: client.get(held, policy=p), lambda p: client.select(held, ["i"], policy=p),
        lambda p: client.exists(held, policy=p), lambda p: client.put(held, {"z": 1}, policy=p),
        lambda p: client.touch(held, policy=p), lambda p: client.increment(held, "i", 1, policy=p),
        lambda p: client.append(held, "s", "!", policy=p),
        lambda p: client.operate(held, [operations.read("i")], policy=p),
        lambda p: client.operate_ordered(held, [operations.read("i")], policy=p),
        lambda p: client.remove_bin(held, ["z"], policy=p),
        lambda p: client.remove(held, policy=p),
    ]
    for command in commands:
        with pytest.raises(e.FilteredOut) as caught:
            command(fails)
        assert caught.value.code == 27
        command(passes)


def test_a_filter_that_is_unknown_lets_nothing_through(client: Any, held: Any) -> None:
    for tree in (x.Unknown(), x.GT(x.IntBin("none"), 1)):
        with pytest.raises(e.FilteredOut):
            client.get(held, policy={"expressions": tree})


@pytest.mark.parametrize("tree", [
    x.Eq(x.StrBin("s"), 5), x.Or(x.BoolBin("t"), "bad"), x.IntBin("i"), x.Add(1, 2.5)])
def test_what_the_server_refuses(client: Any, held: Any, tree: Any) -> None:
    with pytest.raises(e.InvalidRequest):
        client.get(held, policy={"expressions": tree})


@pytest.mark.parametrize("bad", [
    (), [], 5, "text", [1], {"no": "expression"}, {"__expr__": "none"},
    x.Eq(x.IntBin("i"), 2**63), x.IntBin(5), {"__expr__": "ge", "left": exp.int_val(1)}])
def test_what_the_client_refuses(client: Any, held: Any, bad: Any) -> None:
    with pytest.raises(e.ParamError):
        client.get(held, policy={"expressions": bad})


def test_the_strict_face_wants_compiled_lists(strict: Any, key: Any) -> None:
    strict.put(key, dict(RECORD))
    assert strict.get(key, {"expressions": x.GE(x.IntBin("i"), 18).compile()})[2]["i"] == 42
    for bad in (x.GE(x.IntBin("i"), 18), (), []):
        with pytest.raises(e.ParamError):
            strict.get(key, {"expressions": bad})


def test_depth_has_an_end(client: Any, held: Any) -> None:
    tree: Any = x.BoolBin("t")
    for _ in range(64):
        tree = x.Not(tree)
    assert client.get(held, policy={"expressions": tree})[2]["i"] == 42
    nested: Any = exp.bool_bin("t")
    for _ in range(10_000):
        nested = exp.not_(nested)
    with pytest.raises(ValueError, match="^filter_expression: .*depth"):
        client.get(held, policy={"filter_expression": nested})
    with pytest.raises(ValueError, match="^operation 1, expression_read, expr: .*depth"):
        client.operate(held, [operations.read("i"), ops.expression_read("v", nested)])
    with pytest.raises(e.ParamError, match="^expressions: .*larger than"):
        client.get(held, policy={"expressions": x.Eq(x.StrBin("s"), "x" * 1_100_000)})


# ---- values ----


@pytest.mark.parametrize(("tree", "want"), [
    (x.Add(x.IntBin("i"), 1), 43), (x.IntBin("i") * 2 - 4, 80), (x.IntBin("i") % 5, 2),
    (x.FloatBin("f") ** 2.0, 6.25), (x.FloatBin("f") // 2.0, 1.0), (abs(x.IntBin("i")), 42),
    (x.ToInt(x.FloatBin("f")), 2), (x.Max(1, x.IntBin("i"), 7), 42), (x.Log(8.0, 2.0), 3.0),
    (x.IntAnd(x.IntBin("i"), 15), 10), (x.IntXOr(1, 3), 2), (x.IntCount(7), 3),
    (x.IntLeftShift(1, 4), 16), (x.IntRightScan(8, True), 60),
    (x.IntArithmeticRightShift(-8, 1), -4),
    (x.And(x.BoolBin("t"), x.GT(x.IntBin("i"), 1)), True), (x.Exclusive(True, False), True),
    (x.Cond(x.LT(x.IntBin("i"), 10), "low", x.LT(x.IntBin("i"), 50), "mid", "high"), "mid"),
    (x.Let(x.Def("v", x.IntBin("i")), x.Add(x.Var("v"), x.Var("v"))), 84),
    (x.ListSize(None, "l"), 2), (x.ListGetByIndex(None, 7, 2, 0, "l"), 5),
    (x.ListSort(None, 0, "l"), [1, 5]), (x.ListAppend(None, None, 9, "l"), [5, 1, 9]),
    (x.MapGetByKey(None, 7, 2, "a", "m"), 1), (x.MapPut(None, None, "b", 2, "m"), {"a": 1, "b": 2}),
    (x.MapSize(None, "m"), 1), (x.BitCount(0, 8, "b"), 1), (x.BinExists("i"), True),
    (x.BinType("s"), aero.AS_BYTES_STRING), (x.CmpRegex(0, "hel.*", x.StrBin("s")), True),
    (x.CmpRegex(aero.REGEX_ICASE, "HEL.*", x.StrBin("s")), True), (x.SetName(), "keys"),
    (x.KeyExists(), True), (x.IsTombstone(), False), (x.TTL(), -1), (x.VoidTime(), -1),
    (x.InList(5, x.ListBin("l")), True), (x.MapGetKeys(x.MapBin("m")), ["a"]), (x.Val(None), None),
    (x.Val([1, [2]]), [1, [2]]), (x.Val({"a": 1}), {"a": 1}), (x.Val(b"x"), b"x"),
])
def test_values(read: Any, tree: Any, want: Any) -> None:
    found = read(tree.compile())
    assert found == want and type(found) is type(want)
    assert read(tree) == want  # what is not compiled is taken, too


def test_facts_about_the_record(read: Any, held: Any) -> None:
    assert read(x.RecordSize()) > 0 and read(x.MemorySize()) >= 0 and read(x.DeviceSize()) >= 0
    assert 0 <= read(x.DigestMod(3)) < 3
    assert read(x.KeyStr()) == held[2]
    assert 0 <= read(x.SinceUpdateTime()) < 60_000
    assert abs(read(x.LastUpdateTime()) / 1e9 - __import__("time").time()) < 86_400


def test_reading_the_unknown(read: Any) -> None:
    with pytest.raises(e.OpNotApplicable):
        read(x.Unknown().compile())
    assert read(x.Unknown().compile(), aero.EXP_READ_EVAL_NO_FAIL) is None
    with pytest.raises(e.OpNotApplicable):
        read(x.HLLInit(None, 3, None, x.HLLBin("none")))


def test_writing(client: Any, held: Any) -> None:
    one = exp.compile(x.Add(x.IntBin("i"), 1))
    client.operate(held, [ops.expression_write("new", one), ops.expression_write("i", one)])
    assert client.get(held)[2]["new"] == 43 == client.get(held)[2]["i"]
    with pytest.raises(e.BinExistsError):
        client.operate(held, [ops.expression_write("new", one, aero.EXP_WRITE_CREATE_ONLY)])
    with pytest.raises(e.BinNotFound):
        client.operate(held, [ops.expression_write("none", one, aero.EXP_WRITE_UPDATE_ONLY)])
    with pytest.raises(e.OpNotApplicable):
        client.operate(held, [ops.expression_write("i", x.Unknown())])
    quiet = aero.EXP_WRITE_UPDATE_ONLY | aero.EXP_WRITE_POLICY_NO_FAIL
    client.operate(held, [ops.expression_write("none", one, quiet)])
    client.operate(held, [ops.expression_write("new", x.Val(None), aero.EXP_WRITE_ALLOW_DELETE)])
    assert set(client.get(held)[2]) == set(RECORD)


@pytest.mark.parametrize(("op", "named"), [
    (lambda: ops.expression_read("v", x.IntBin("i").compile(), "flags"), "expr_flags"),
    (lambda: ops.expression_read("v", "text"), "str is no compiled expression"),
    (lambda: ops.expression_write("v", 5), "int is no compiled expression"),
])
def test_wrong_types_are_named(client: Any, held: Any, op: Any, named: str) -> None:
    with pytest.raises(e.ParamError, match=named):
        client.operate(held, [operations.read("i"), op()])


@pytest.mark.parametrize("tree", [
    x.ListGetByRank("bad ctx", 7, 2, 0, "l"), x.ListGetByRank(None, "bad", 2, 0, "l")])
def test_wrong_parts_are_named(client: Any, held: Any, tree: Any) -> None:
    with pytest.raises(e.ParamError):
        client.get(held, policy={"expressions": tree})


def test_comparing_maps_needs_an_order(read: Any, client: Any, held: Any) -> None:
    same = x.Eq(x.MapBin("m"), aero.KeyOrderedDict({"a": 1}))
    with pytest.raises(e.OpNotApplicable):
        read(same)
    client.put(held, {"m": aero.KeyOrderedDict({"a": 1})})
    assert read(same) is True


def test_regex_flags(read: Any, client: Any, held: Any) -> None:
    """To a server 4 means that anchors also stand at lines, whatever clients call it.

    The official numbers, which are ours, are the other way round: NOSUB 4, NEWLINE 8.
    """
    client.put(held, {"s": "one\ntwo"})
    assert read(x.CmpRegex(0, "^two", x.StrBin("s"))) is False
    assert read(x.CmpRegex(aero.REGEX_NEWLINE, "^two", x.StrBin("s"))) is False
    assert read(x.CmpRegex(aero.REGEX_NOSUB, "^two", x.StrBin("s"))) is True
    assert (aero.REGEX_NEWLINE, aero.REGEX_NOSUB) == (8, 4)


def test_exclusive_ends_at_the_second_true(read: Any) -> None:
    assert read(x.Exclusive(True, True, x.GT(x.IntBin("none"), 1))) is False
    with pytest.raises(e.OpNotApplicable):
        read(x.Exclusive(True, x.GT(x.IntBin("none"), 1), True))


def test_all_clients_take_filters_for_many(client: Any, new_key: Any) -> None:
    keys = [new_key() for _ in range(4)]
    for i, one in enumerate(keys):
        client.put(one, {"i": i})
    found = client.batch_read(keys, policy={"filter_expression": exp.ge(exp.int_bin("i"),
                                                                      exp.int_val(2))})
    assert [record.result for record in found.batch_records] == [27, 27, 0, 0]
