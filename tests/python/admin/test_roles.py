"""Roles: privileges, white lists and quotas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import aerospike_py
from aerospike_py import exception as e

pytestmark = pytest.mark.local_only

READ = aerospike_py.PRIV_READ
WRITE = aerospike_py.PRIV_WRITE


def test_a_role_is_made_and_asked_for_in_every_shape(root: Any, strict_root: Any,
                                                     name: str) -> None:
    privileges = [{"code": READ, "ns": "test", "set": "demo"},
                  {"code": aerospike_py.PRIV_UDF_ADMIN}]
    assert root.admin_create_role(name, privileges) == 0
    read_back = [{"ns": "test", "set": "demo", "code": READ}, {"ns": "", "set": "", "code": 3}]
    limits = {"privileges": read_back, "read_quota": 0, "write_quota": 0}
    assert root.admin_query_role(name) == {"name": name, "allowlist": [], **limits}
    assert root.admin_get_role(name) == {"whitelist": [], **limits}
    assert strict_root.admin_query_role(name) == read_back
    assert strict_root.admin_get_role(name) == {"whitelist": [], **limits}
    assert {"name": name, "allowlist": [], **limits} in root.admin_query_roles()
    assert strict_root.admin_query_roles()[name] == read_back
    assert root.admin_get_roles()[name] == {"whitelist": [], **limits}


def test_privileges_have_names_on_the_main_face(root: Any, strict_root: Any, name: str) -> None:
    root.admin_create_role(name, [{"code": "read-write", "ns": "test"}])
    assert root.admin_query_role(name)["privileges"] == [
        {"ns": "test", "set": "", "code": aerospike_py.PRIV_READ_WRITE}]
    with pytest.raises(e.ParamError, match="no privilege 'fly'"):
        root.admin_create_role(name, [{"code": "fly"}])
    with pytest.raises(e.ParamError):
        strict_root.admin_create_role(name, [{"code": "read"}])


def test_a_name_is_taken_once(each_root: Any, name: str) -> None:
    each_root.admin_create_role(name, [{"code": READ}])
    with pytest.raises(e.RoleExistsError) as raised:
        each_root.admin_create_role(name, [{"code": READ}])
    assert raised.value.code == 71


def test_a_role_that_was_dropped_is_unknown(each_root: Any, name: str) -> None:
    each_root.admin_create_role(name, [{"code": READ}])
    assert each_root.admin_drop_role(name) == 0
    for ask in (each_root.admin_drop_role, each_root.admin_query_role, each_root.admin_get_role):
        with pytest.raises(e.InvalidRole) as raised:
            ask(name)
        assert raised.value.code == 70
    with pytest.raises(e.InvalidRole):
        each_root.admin_drop_role("r" * 64)


def test_privileges_come_and_go(each_root: Any, name: str) -> None:
    each_root.admin_create_role(name, [{"code": READ}])
    assert each_root.admin_grant_privileges(name, [{"code": WRITE, "ns": "test"}]) == 0
    assert [p["code"] for p in each_root.admin_get_role(name)["privileges"]] == [READ, WRITE]
    assert each_root.admin_revoke_privileges(name, [{"code": READ}]) == 0
    assert each_root.admin_get_role(name)["privileges"] == [
        {"ns": "test", "set": "", "code": WRITE}]


def test_unknown_privileges_are_refused(each_root: Any, name: str) -> None:
    for privileges in ([], [{"code": 64}]):
        with pytest.raises(e.InvalidPrivilege) as raised:
            each_root.admin_create_role(name, privileges)
        assert raised.value.code == 72


def test_a_role_allows_what_it_says_and_no_more(root: Any, make_client: Callable[..., Any],
                                                name: str) -> None:
    root.admin_create_role(name, [{"code": "read-write", "ns": "test", "set": "allowed"}])
    root.admin_create_user(name, "p", [name])
    one = make_client(user=name, password="p")
    assert one.put(("test", "allowed", 1), {"a": 1}) == 0
    with pytest.raises(e.RoleViolation):
        one.put(("test", "other", 1), {"a": 1})
    with pytest.raises(e.RoleViolation):
        one.admin_create_user("mallory", "p", ["user-admin"])


def test_a_white_list_is_set_and_cleared(each_root: Any, name: str) -> None:
    each_root.admin_create_role(name, [{"code": READ}], whitelist=["10.0.0.0/8", "127.0.0.1"])
    assert each_root.admin_get_role(name)["whitelist"] == ["10.0.0.0/8", "127.0.0.1"]
    assert each_root.admin_set_whitelist(name, ["192.168.0.1"]) == 0
    assert each_root.admin_get_role(name)["whitelist"] == ["192.168.0.1"]
    for nothing in (None, []):
        each_root.admin_set_whitelist(name, ["192.168.0.1"])
        each_root.admin_set_whitelist(name, nothing)
        assert each_root.admin_get_role(name)["whitelist"] == []
    with pytest.raises(e.InvalidWhitelist) as raised:
        each_root.admin_set_whitelist(name, ["nowhere"])
    assert raised.value.code == 73


def test_who_comes_from_elsewhere_is_not_let_in(root: Any, make_client: Callable[..., Any],
                                                name: str) -> None:
    root.admin_create_role(name, [{"code": READ}], whitelist=["10.0.0.1"])
    root.admin_create_user(name, "p", [name])
    with pytest.raises(e.NotWhitelisted) as raised:
        make_client(user=name, password="p")
    assert raised.value.code == 82


def test_quotas_are_set_one_by_one(each_root: Any, name: str) -> None:
    each_root.admin_create_role(name, [{"code": READ}], read_quota=100, write_quota=200)
    role = each_root.admin_get_role(name)
    assert (role["read_quota"], role["write_quota"]) == (100, 200)
    assert each_root.admin_set_quotas(name, read_quota=5) == 0
    role = each_root.admin_get_role(name)
    assert (role["read_quota"], role["write_quota"]) == (5, 0)
    each_root.admin_set_quotas(role=name, write_quota=2**32 - 1)
    assert each_root.admin_get_role(name)["write_quota"] == 2**32 - 1


def test_limits_may_be_left_out(each_root: Any, name: str) -> None:
    each_root.admin_create_role(name, [{"code": READ}], None, None, None, None)
    assert each_root.admin_get_role(name)["read_quota"] == 0
