"""put, get, select and exists: what they write, read and refuse."""

from __future__ import annotations

import pytest

import aerospike_py
from aerospike_py import exception as ex, official

NEVER = 4294967295

# ---- put and get ----


def test_put_gives_0_and_get_gives_the_record(face, key):
    assert face.put(key, {"name": "Alice", "age": 30}) == 0
    record = face.get(key)
    assert record[2] == {"name": "Alice", "age": 30}
    assert record[1]["gen"] == 1
    assert record[1]["ttl"] == NEVER
    assert len(record) == 3


def test_a_record_has_names(client, key):
    client.put(key, {"a": 1})
    record = client.get(key)
    assert type(record) is aerospike_py.Record
    assert isinstance(record, tuple)
    at, meta, bins = record
    assert (record.key, record.meta, record.bins) == (at, meta, bins)
    assert type(meta) is aerospike_py.RecordMetadata
    gen, ttl = meta
    assert (meta.gen, meta.ttl) == (gen, ttl) == (1, NEVER)


def test_metadata_is_read_as_a_dict_too(client, key):
    client.put(key, {"a": 1})
    meta = client.get(key).meta
    assert meta["gen"] == 1
    assert meta["ttl"] == NEVER
    assert "gen" in meta
    assert "other" not in meta
    assert dict(meta) == {"gen": 1, "ttl": NEVER}
    assert meta == {"gen": 1, "ttl": NEVER}
    assert {"ttl": NEVER, "gen": 1} == meta
    assert meta != {"gen": 2, "ttl": NEVER}
    assert meta == (1, NEVER)
    assert sorted(meta.keys()) == ["gen", "ttl"]
    assert sorted(meta.values()) == [1, NEVER]
    assert sorted(meta.items()) == [("gen", 1), ("ttl", NEVER)]
    assert meta.get("gen") == 1
    assert meta.get("other", 5) == 5
    assert {**meta} == {"gen": 1, "ttl": NEVER}
    with pytest.raises(KeyError):
        meta["other"]


def test_the_strict_face_gives_plain_tuples_and_dicts(strict, key):
    strict.put(key, {"a": 1})
    record = strict.get(key)
    assert type(record) is tuple
    assert type(record[1]) is dict
    assert record[1] == {"gen": 1, "ttl": NEVER}
    assert type(record[2]) is dict
    assert type(strict.exists(key)) is tuple
    assert type(strict.exists(key)[1]) is dict


def test_official_shapes_on_the_main_face(make_client, kind, key):
    client = make_client(compat="official")
    client.put(key, {"a": 1})
    record = client.get(key)
    assert type(record) is tuple
    assert type(record[1]) is dict
    assert type(record[0][3]) is bytearray


def test_a_missing_record(face, key):
    with pytest.raises(ex.RecordNotFound) as e:
        face.get(key)
    assert e.value.code == 2
    assert e.value.in_doubt is False
    assert e.value.key == key


def test_put_keeps_the_bins_it_does_not_name(face, key):
    face.put(key, {"a": 1, "b": 2})
    face.put(key, {"b": 3, "c": 4})
    assert face.get(key)[2] == {"a": 1, "b": 3, "c": 4}
    assert face.get(key)[1]["gen"] == 2


@pytest.mark.parametrize("nothing", [None, aerospike_py.null()])
def test_none_removes_a_bin(face, key, nothing):
    face.put(key, {"a": 1, "b": 2})
    face.put(key, {"a": nothing})
    assert face.get(key)[2] == {"b": 2}
    face.put(key, {"b": nothing})
    with pytest.raises(ex.RecordNotFound):
        face.get(key)


def test_many_bins(client, key):
    bins = {f"b{i}": i for i in range(1000)}
    client.put(key, bins)
    assert client.get(key).bins == bins


def test_a_large_record(client, key):
    bins = {"blob": bytes(700_000), "text": "é" * 100_000}
    client.put(key, bins)
    assert client.get(key).bins == bins


def test_a_record_too_big_is_refused(client, key):
    with pytest.raises(ex.RecordTooBig) as e:
        client.put(key, {"blob": bytes(9 << 20)})
    assert e.value.code == 13
    client.put(key, {"a": 1})


def test_bin_names_have_up_to_15_bytes(face, key):
    names = ["b", "fifteen-bytes-.", "é" * 7 + "x", "\U0001d11e" * 3]
    bins = {name: i for i, name in enumerate(names)}
    face.put(key, bins)
    assert face.get(key)[2] == bins


@pytest.mark.parametrize("name", ["sixteen-bytes-..", "é" * 8, "x" * 300])
def test_a_longer_bin_name_is_refused_before_anything_is_sent(face, key, name):
    with pytest.raises(ex.BinNameError) as e:
        face.put(key, {"ok": 1, name: 1})
    assert e.value.code == 21
    assert e.value.msg == "A bin name should not exceed 15 characters limit"
    assert face.exists(key)[1] is None


def test_the_text_of_a_long_bin_name(client, key):
    with pytest.raises(ValueError, match="exceeds the 15-byte limit"):
        client.put(key, {"sixteen-bytes-..": 1})


def test_an_empty_bin_name(client, key):
    with pytest.raises(ValueError, match="empty"):
        client.put(key, {"": 1})
    with pytest.raises(ex.ClientError):
        client.put(key, {"": 1})


@pytest.mark.parametrize("bad", [None, [], "a", 1, (("a", 1),), {"a"}])
def test_bins_are_a_dict(face, key, bad):
    with pytest.raises(ex.ParamError, match="bins") as e:
        face.put(key, bad)
    assert e.value.code == -2
    with pytest.raises(TypeError):
        face.put(key, bad)


@pytest.mark.parametrize("bad", [1, None, b"a", ("a",)])
def test_the_name_of_a_bin_is_a_str(face, key, bad):
    with pytest.raises(ex.ClientError):
        face.put(key, {bad: 1})
    assert face.exists(key)[1] is None


def test_no_bins_are_no_request(face, key):
    with pytest.raises(ex.InvalidRequest) as e:
        face.put(key, {})
    assert e.value.code == 4


def test_a_subclass_of_dict_holds_bins(face, key):
    from collections import OrderedDict

    face.put(key, OrderedDict(a=1, b=2))
    assert face.get(key)[2] == {"a": 1, "b": 2}


def test_keywords_and_positions(face, key):
    assert face.put(key=key, bins={"a": 1}, meta=None, policy=None) == 0
    assert face.put(key, {"a": 2}, None, None) == 0
    assert face.get(key=key, policy={})[2] == {"a": 2}
    assert face.exists(key=key)[1]
    assert face.select(key=key, bins=["a"], policy=None)[2] == {"a": 2}
    assert face.remove(key=key) == 0


# ---- metadata that is given ----


def test_the_generation_starts_at_1_and_grows(face, key):
    for gen in (1, 2, 3):
        face.put(key, {"a": gen})
        assert face.get(key)[1]["gen"] == gen


def test_a_generation_that_is_given_is_expected(client, key):
    client.put(key, {"a": 1})
    client.put(key, {"a": 2}, meta={"gen": 1})
    with pytest.raises(ex.RecordGenerationError) as e:
        client.put(key, {"a": 3}, meta={"gen": 1})
    assert e.value.code == 3
    assert client.get(key).bins == {"a": 2}


def test_the_strict_face_expects_a_generation_only_with_a_policy(strict, key):
    strict.put(key, {"a": 1})
    strict.put(key, {"a": 2}, {"gen": 7})
    with pytest.raises(ex.RecordGenerationError):
        strict.put(key, {"a": 3}, {"gen": 7}, {"gen": official.POLICY_GEN_EQ})
    assert strict.get(key)[2] == {"a": 2}


def test_generation_policies(face, key):
    eq, gt, ignore = ({"gen": g} for g in (1, 2, 0))
    face.put(key, {"a": 1}, {"gen": 5}, ignore)
    assert face.get(key)[1]["gen"] == 1
    face.put(key, {"a": 2}, {"gen": 1}, eq)
    with pytest.raises(ex.RecordGenerationError):
        face.put(key, {"a": 3}, {"gen": 1}, eq)
    face.put(key, {"a": 3}, {"gen": 10}, gt)
    with pytest.raises(ex.RecordGenerationError):
        face.put(key, {"a": 4}, {"gen": 3}, gt)
    face.put(key, {"a": 5}, {"gen": 99}, ignore)
    record = face.get(key)
    assert record[2] == {"a": 5}
    assert record[1]["gen"] == 4


@pytest.mark.parametrize("bad", ["meta", 1, [], ()])
def test_meta_is_a_dict(face, key, bad):
    with pytest.raises(ex.ParamError, match="meta"):
        face.put(key, {"a": 1}, bad)
    with pytest.raises(TypeError):
        face.put(key, {"a": 1}, bad)
    assert face.exists(key)[1] is None


@pytest.mark.parametrize("bad", ["wrong", 1.5, [1]])
def test_a_generation_is_an_int(face, key, bad):
    with pytest.raises(ex.ParamError) as e:
        face.put(key, {"a": 1}, {"gen": bad})
    assert e.value.msg == "Generation should be an int or long"


@pytest.mark.parametrize("bad", ["25000", 1.5, [1]])
def test_a_ttl_is_an_int(face, key, bad):
    with pytest.raises(ex.ParamError) as e:
        face.put(key, {"a": 1}, {"ttl": bad})
    assert "ttl" in str(e.value).lower()


def test_bools_are_ints_in_meta(strict, key):
    strict.put(key, {"a": 1}, {"gen": True})
    strict.put(key, {"a": 1}, {"gen": True, "ttl": False})


def test_numbers_beyond_64_bits_in_meta(face, key):
    for name in ("gen", "ttl"):
        with pytest.raises(ex.ClientError):
            face.put(key, {"a": 1}, {name: 2**64})
    assert face.exists(key)[1] is None


def test_meta_has_other_keys_on_the_main_face(client, key):
    client.put(key, {"a": 1}, {"exists": aerospike_py.POLICY_EXISTS_CREATE_ONLY})
    with pytest.raises(ex.RecordExistsError):
        client.put(key, {"a": 1}, {"exists": aerospike_py.POLICY_EXISTS_CREATE_ONLY})
    client.put(key, {"a": 2}, {"key": aerospike_py.POLICY_KEY_SEND,
                               "commit_level": aerospike_py.POLICY_COMMIT_LEVEL_MASTER})
    assert client.get(key).bins == {"a": 2}


# ---- time to live ----


@pytest.mark.needs_ttl
def test_a_ttl_is_counted_in_seconds(face, key):
    face.put(key, {"a": 1}, {"ttl": 1000})
    assert 990 <= face.get(key)[1]["ttl"] <= 1000


@pytest.mark.needs_ttl
def test_a_ttl_of_the_policy(face, key):
    face.put(key, {"a": 1}, policy={"ttl": 1000})
    assert 990 <= face.get(key)[1]["ttl"] <= 1000


@pytest.mark.needs_ttl
def test_which_ttl_wins(client, strict, key):
    client.put(key, {"a": 1}, {"ttl": 500}, {"ttl": 1000})
    assert client.get(key).meta.ttl > 900
    strict.put(key, {"a": 1}, {"ttl": 500}, {"ttl": 1000})
    assert strict.get(key)[1]["ttl"] <= 500


@pytest.mark.needs_ttl
@pytest.mark.parametrize("never", [aerospike_py.TTL_NEVER_EXPIRE, official.TTL_NEVER_EXPIRE])
def test_a_record_may_live_for_ever(face, key, never):
    face.put(key, {"a": 1}, {"ttl": 100})
    face.put(key, {"a": 1}, {"ttl": never})
    assert face.get(key)[1]["ttl"] == NEVER


@pytest.mark.needs_ttl
@pytest.mark.parametrize("keep", [aerospike_py.TTL_DONT_UPDATE, official.TTL_DONT_UPDATE])
def test_a_ttl_may_be_kept(face, key, keep):
    face.put(key, {"a": 1}, {"ttl": 100})
    face.put(key, {"a": 2}, {"ttl": keep})
    assert 90 <= face.get(key)[1]["ttl"] <= 100


@pytest.mark.needs_ttl
def test_the_ttl_of_the_namespace(face, key):
    face.put(key, {"a": 1}, {"ttl": 100})
    face.put(key, {"a": 1}, {"ttl": aerospike_py.TTL_NAMESPACE_DEFAULT})
    assert face.get(key)[1]["ttl"] == NEVER  # its default-ttl is 0


@pytest.mark.needs_ttl
@pytest.mark.parametrize("default", [aerospike_py.TTL_CLIENT_DEFAULT, official.TTL_CLIENT_DEFAULT])
def test_the_ttl_of_the_client(make_client, make_strict, key, default):
    for client in (make_client(policies={"write": {"ttl": 300}}),
                   make_strict(policies={"write": {"ttl": 300}})):
        client.put(key, {"a": 1})
        assert 290 <= client.get(key)[1]["ttl"] <= 300
        client.put(key, {"a": 1}, {"ttl": 100})
        assert client.get(key)[1]["ttl"] <= 100
        client.put(key, {"a": 1}, {"ttl": default})
        assert 290 <= client.get(key)[1]["ttl"] <= 300


@pytest.mark.needs_ttl
def test_the_longest_life_of_ten_years(face, key):
    face.put(key, {"a": 1}, {"ttl": 315_360_000})
    assert face.get(key)[1]["ttl"] > 315_350_000
    with pytest.raises(ex.InvalidRequest):
        face.put(key, {"a": 1}, {"ttl": 315_360_001})


@pytest.mark.parametrize("bad", [-4, -5, 2**32, -(2**31)])
def test_a_ttl_that_means_nothing(client, key, bad):
    with pytest.raises(ex.InvalidArgError, match="ttl"):
        client.put(key, {"a": 1}, {"ttl": bad})
    with pytest.raises(ex.InvalidArgError, match="ttl"):
        client.put(key, {"a": 1}, policy={"ttl": bad})
    assert client.exists(key).meta is None


def test_a_record_expires(server, client, key):
    client.put(key, {"a": 1}, {"ttl": 10})
    server.advance(9)
    assert client.get(key).bins == {"a": 1}
    server.advance(2)
    assert client.exists(key).meta is None
    with pytest.raises(ex.RecordNotFound):
        client.get(key)


def test_the_life_of_a_record_grows_shorter(server, client, key):
    client.put(key, {"a": 1}, {"ttl": 1000})
    server.advance(600)
    assert 390 <= client.get(key).meta.ttl <= 400


def test_a_read_may_renew_the_life_of_a_record(server, client, key):
    client.put(key, {"a": 1}, {"ttl": 100})
    server.advance(60)
    client.get(key, {"read_touch_ttl_percent": 80})
    assert 90 < client.get(key).meta.ttl <= 100


@pytest.mark.parametrize("bad", ["fail", 101, -2, 1.5])
def test_read_touch_ttl_percent_is_checked(client, key, bad):
    with pytest.raises(ex.InvalidArgError, match="read_touch_ttl_percent"):
        client.get(key, {"read_touch_ttl_percent": bad})


def test_read_touch_ttl_percent_is_an_int(strict, key):
    with pytest.raises(ex.ParamError) as e:
        strict.get(key, {"read_touch_ttl_percent": "fail"})
    assert e.value.msg == "read_touch_ttl_percent is invalid"


# ---- select ----


def test_select_reads_the_bins_it_names(face, key):
    face.put(key, {"a": 1, "b": "x", "c": [1]})
    assert face.select(key, ["a", "c"])[2] == {"a": 1, "c": [1]}
    assert face.select(key, ("b",))[2] == {"b": "x"}
    assert face.select(key, ["a", "a"])[2] == {"a": 1}
    assert face.select(key, ["a", "nowhere"])[2] == {"a": 1}
    assert face.select(key, ["nowhere"])[2] == {}
    assert face.select(key, ["a"])[1]["gen"] == 1


def test_select_of_no_bins(face, key):
    face.put(key, {"a": 1})
    for none in ([], ()):
        with pytest.raises(ex.InvalidRequest) as e:
            face.select(key, none)
        assert e.value.code == 4


def test_select_of_a_missing_record(face, key):
    with pytest.raises(ex.RecordNotFound):
        face.select(key, ["a"])


@pytest.mark.parametrize("bad", ["a", {}, False, 1, None, {"a": 1}])
def test_select_takes_a_list_or_a_tuple(face, key, bad):
    with pytest.raises(ex.ParamError, match=r"(?i)bins"):
        face.select(key, bad)
    with pytest.raises(TypeError):
        face.select(key, bad)


@pytest.mark.parametrize("bad", [[1], (1,), ["a", None], [b"a"], [["a"]]])
def test_select_takes_names(face, key, bad):
    with pytest.raises(ex.ParamError):
        face.select(key, bad)


def test_select_of_a_name_that_is_too_long(client, strict, key):
    client.put(key, {"fifteen-bytes-.": 1})
    with pytest.raises(ex.InvalidArgError):
        client.select(key, ["fifteen-bytes-.x"])
    assert strict.select(key, ["fifteen-bytes-.x"])[2] == {"fifteen-bytes-.": 1}


# ---- exists ----


def test_exists(face, key):
    at, meta = face.exists(key)
    assert at == (*key, at[3])
    assert meta is None
    face.put(key, {"a": 1})
    at, meta = face.exists(key)
    assert meta["gen"] == 1
    assert meta["ttl"] == NEVER


def test_exists_has_names(client, key):
    client.put(key, {"a": 1})
    result = client.exists(key)
    assert type(result) is aerospike_py.ExistsResult
    assert result.key.user_key == key[2]
    assert result.meta.gen == 1


# ---- exists policies ----


def test_create_only(client, strict, key):
    client.put(key, {"a": 1}, policy={"exists": aerospike_py.POLICY_EXISTS_CREATE_ONLY})
    for one, policy in ((client, aerospike_py.POLICY_EXISTS_CREATE_ONLY),
                        (client, aerospike_py.POLICY_EXISTS_CREATE),
                        (strict, official.POLICY_EXISTS_CREATE)):
        with pytest.raises(ex.RecordExistsError) as e:
            one.put(key, {"a": 2}, policy={"exists": policy})
        assert e.value.code == 5
    assert client.get(key).bins == {"a": 1}


def test_update_only(client, strict, key):
    for one, policy in ((client, aerospike_py.POLICY_EXISTS_UPDATE_ONLY),
                        (client, aerospike_py.POLICY_EXISTS_UPDATE),
                        (strict, official.POLICY_EXISTS_UPDATE)):
        with pytest.raises(ex.RecordNotFound) as e:
            one.put(key, {"a": 2}, policy={"exists": policy})
        assert e.value.code == 2
    client.put(key, {"a": 1, "b": 2})
    client.put(key, {"a": 2}, policy={"exists": aerospike_py.POLICY_EXISTS_UPDATE})
    assert client.get(key).bins == {"a": 2, "b": 2}


def test_replace_only(client, strict, key):
    for one, policy in ((client, aerospike_py.POLICY_EXISTS_REPLACE_ONLY),
                        (strict, official.POLICY_EXISTS_REPLACE)):
        with pytest.raises(ex.RecordNotFound):
            one.put(key, {"a": 2}, policy={"exists": policy})
        client.put(key, {"a": 1, "b": 2})
        one.put(key, {"a": 3}, policy={"exists": policy})
        assert client.get(key).bins == {"a": 3}
        client.remove(key)


def test_create_or_replace(client, strict, key):
    for one, policy in ((client, aerospike_py.POLICY_EXISTS_REPLACE),
                        (client, aerospike_py.POLICY_EXISTS_CREATE_OR_REPLACE),
                        (strict, official.POLICY_EXISTS_CREATE_OR_REPLACE)):
        one.put(key, {"a": 1, "b": 2}, policy={"exists": policy})
        one.put(key, {"c": 3}, policy={"exists": policy})
        assert client.get(key).bins == {"c": 3}
        client.remove(key)


# ---- filters ----


def test_a_record_that_does_not_match_the_filter(client, key):
    from aerospike_py import exp

    client.put(key, {"age": 30})
    old = {"filter_expression": exp.ge(exp.int_bin("age"), exp.int_val(65))}
    for call in (lambda: client.get(key, policy=old), lambda: client.select(key, ["age"], old),
                 lambda: client.put(key, {"age": 1}, policy=old),
                 lambda: client.remove(key, policy=old),
                 lambda: client.remove_bin(key, ["age"], policy=old),
                 lambda: client.touch(key, policy=old),
                 lambda: client.increment(key, "age", 1, policy=old),
                 lambda: client.operate(key, [{"op": 1, "bin": "age"}], policy=old),
                 lambda: client.operate_ordered(key, [{"op": 1, "bin": "age"}], policy=old)):
        with pytest.raises(ex.FilteredOut) as e:
            call()
        assert e.value.code == 27
    young = {"filter_expression": exp.lt(exp.int_bin("age"), exp.int_val(65))}
    assert client.get(key, policy=young).bins == {"age": 30}


# ---- the read modes and the rest ----


@pytest.mark.parametrize("policy", [
    {"replica": aerospike_py.POLICY_REPLICA_MASTER}, {"replica": aerospike_py.POLICY_REPLICA_ANY},
    {"replica": aerospike_py.POLICY_REPLICA_SEQUENCE},
    {"replica": aerospike_py.POLICY_REPLICA_PREFER_RACK},
    {"replica": aerospike_py.POLICY_REPLICA_RANDOM},
    {"read_mode_ap": aerospike_py.POLICY_READ_MODE_AP_ALL},
    {"read_mode_sc": aerospike_py.POLICY_READ_MODE_SC_SESSION},
    {"deserialize": False}, {"deserialize": True}, {"timeout_delay": 100},
    {"connect_timeout": 1000}, {"socket_timeout": 0, "total_timeout": 0},
    {"max_retries": 0, "sleep_between_retries": 10}, {"unknown": object()},
], ids=str)
def test_policies_of_reads(client, key, policy):
    client.put(key, {"a": 1})
    assert client.get(key, policy).bins == {"a": 1}
    assert client.select(key, ["a"], policy).bins == {"a": 1}
    assert client.exists(key, policy).meta.gen == 1


@pytest.mark.parametrize("policy", [
    {"commit_level": aerospike_py.POLICY_COMMIT_LEVEL_MASTER},
    {"commit_level": aerospike_py.POLICY_COMMIT_LEVEL_ALL},
    {"key": aerospike_py.POLICY_KEY_SEND}, {"key": aerospike_py.POLICY_KEY_DIGEST},
    {"compress": False, "compression_threshold": 100}, {"on_locking_only": False},
    {"durable_delete": False}, {"max_retries": 2, "total_timeout": 5000},
    {"replica": aerospike_py.POLICY_REPLICA_SEQUENCE},
], ids=str)
def test_policies_of_writes(client, key, policy):
    client.put(key, {"a": 1}, policy=policy)
    client.append(key, "s", "x", policy=policy)
    client.increment(key, "a", 1, policy=policy)
    client.touch(key, policy=policy)
    client.remove_bin(key, ["s"], policy=policy)
    assert client.get(key).bins == {"a": 2}
    client.remove(key, policy=policy)


@pytest.mark.needs_enterprise
def test_compression(client, strict, key):
    bins = {"text": "abc" * 10_000, "n": 1}
    for one in (client, strict):
        one.put(key, bins, policy={"compress": True, "compression_threshold": 100})
        assert one.get(key, {"compress": True})[2] == bins


@pytest.mark.needs_enterprise
def test_a_durable_delete_leaves_a_tombstone(client, key):
    client.put(key, {"a": 1})
    assert client.remove(key, policy={"durable_delete": True}) == 0
    assert client.exists(key).meta is None
