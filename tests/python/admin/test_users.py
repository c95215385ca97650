"""Users: made, changed, asked about, removed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import aerospike_py
from aerospike_py import exception as e

pytestmark = pytest.mark.local_only


def test_a_new_user_may_log_in_and_do_what_his_roles_say(
        each_root: Any, make_client: Callable[..., Any], name: str) -> None:
    assert each_root.admin_create_user(name, "secret", ["read"]) == 0
    one = make_client(user=name, password="secret")
    with pytest.raises(e.RecordNotFound):
        one.get(("test", "users", 1))
    with pytest.raises(e.RoleViolation) as raised:
        one.put(("test", "users", 1), {"a": 1})
    assert raised.value.code == 81


def test_a_name_is_taken_once(each_root: Any, name: str) -> None:
    each_root.admin_create_user(name, "secret", ["read"])
    with pytest.raises(e.UserExistsError) as raised:
        each_root.admin_create_user(name, "secret", ["read"])
    assert raised.value.code == 61


def test_a_user_who_was_dropped_is_unknown(each_root: Any, name: str) -> None:
    each_root.admin_create_user(name, "secret", ["read"])
    assert each_root.admin_drop_user(name) == 0
    with pytest.raises(e.InvalidUser) as raised:
        each_root.admin_drop_user(name)
    assert raised.value.code == 60
    with pytest.raises(e.InvalidUser):
        each_root.admin_query_user_info(name)


def test_an_empty_name_is_unknown(each_root: Any) -> None:
    with pytest.raises(e.InvalidUser):
        each_root.admin_drop_user("")


def test_roles_are_given_and_taken(each_root: Any, name: str) -> None:
    each_root.admin_create_user(name, "secret", ["read"])
    assert each_root.admin_grant_roles(name, ["write", "sys-admin"]) == 0
    assert sorted(each_root.admin_query_user_info(name)["roles"]) == ["read", "sys-admin", "write"]
    assert each_root.admin_revoke_roles(name, ["read", "write"]) == 0
    assert each_root.admin_query_user_info(name)["roles"] == ["sys-admin"]


def test_a_role_that_does_not_exist_is_refused(each_root: Any, name: str) -> None:
    with pytest.raises(e.InvalidRole) as raised:
        each_root.admin_create_user(name, "secret", ["no-such-role"])
    assert raised.value.code == 70
    with pytest.raises(e.InvalidRole):
        each_root.admin_grant_roles("root", ["no-such-role"])


def test_what_is_known_of_a_user(root: Any, strict_root: Any, name: str) -> None:
    root.admin_create_user(name, "", ["read"])
    known = {"roles": ["read"], "conns_in_use": 0, "read_info": 0, "write_info": 0}
    assert root.admin_query_user_info(name) == {"user": name, **known}
    assert strict_root.admin_query_user_info(name) == known
    assert {"user": name, **known} in root.admin_query_users_info()
    assert strict_root.admin_query_users_info()[name] == known
    assert root.admin_query_user_info("root")["conns_in_use"] > 0


def test_a_password_is_set_by_who_manages_users(
        each_root: Any, make_client: Callable[..., Any], name: str) -> None:
    each_root.admin_create_user(name, "before", ["read"])
    assert each_root.admin_set_password(name, "after") == 0
    make_client(user=name, password="after")
    with pytest.raises(e.InvalidCredential):
        make_client(user=name, password="before")


def test_who_changes_his_own_password_goes_on_with_it(
        root: Any, make_client: Callable[..., Any], name: str) -> None:
    root.admin_create_user(name, "before", ["read"])
    one = make_client(user=name, password="before")
    assert one.admin_change_password(name, "after") == 0
    assert one.admin_change_password(name, "again") == 0  # the old one is sent along
    make_client(user=name, password="again")


def test_the_old_password_must_be_right(
        root: Any, make_client: Callable[..., Any], name: str) -> None:
    root.admin_create_user(name, "before", ["read"])
    one = make_client(user=name, password="before")
    root.admin_set_password(name, "elsewhere")
    with pytest.raises((e.InvalidPassword, e.InvalidCredential)):
        one.admin_change_password(name, "after")


def test_the_main_face_also_changes_the_password_of_others(
        root: Any, strict_root: Any, make_client: Callable[..., Any], name: str) -> None:
    root.admin_create_user(name, "before", ["read"])
    root.admin_change_password(name, "after")
    make_client(user=name, password="after")
    with pytest.raises(e.AdminError):
        strict_root.admin_change_password(name, "later")


def test_users_of_certificates(each_root: Any, name: str) -> None:
    assert each_root.admin_create_pki_user(name, ["read"]) == 0
    assert each_root.admin_query_user_info(name)["roles"] == ["read"]


def test_a_timeout_is_obeyed(root: Any, secured: Any) -> None:
    secured.fault("stall", classes="admin", times=1)
    begun = time.monotonic()
    try:
        with pytest.raises(e.AerospikeTimeoutError):
            root.admin_query_users_info(policy={"timeout": 1400})
    finally:
        secured.clear_faults()
    assert time.monotonic() - begun >= 1.39  # 1 s is the default


def test_a_server_without_users_says_so(kind: str) -> None:
    from aerospike_py.server import LocalServer

    for edition, code in (("community", 51), ("enterprise", 52)):
        with LocalServer(edition=edition) as plain:
            one = aerospike_py.client(plain.config).connect()
            with pytest.raises(e.AdminError) as raised:
                one.admin_query_users_info()
            assert raised.value.code == code
            one.close()


BAD = [
    ("admin_create_user", (None, "p", []), "Username should be a string"),
    ("admin_create_user", ("u", None, []), "Password should be a string"),
    ("admin_create_user", ("u", "p", None), "Roles should be a list"),
    ("admin_create_user", ("u", "p", ("read",)), "Roles should be a list"),
    ("admin_create_pki_user", ("u", None), "Roles should be a list"),
    ("admin_drop_user", (1,), "Username should be a string"),
    ("admin_set_password", (None, "p"), "Username should be a string"),
    ("admin_change_password", ("root", 5), "Password should be a string"),
    ("admin_grant_roles", ("u", "read"), "Roles should be a list"),
    ("admin_revoke_roles", (b"u", []), "Username should be a string"),
    ("admin_query_user_info", (None,), "Username should be a string"),
    ("admin_create_role", (None, []), "Role name should be a string"),
    ("admin_create_role", ("r", "read"), "Privileges should be a list"),
    ("admin_create_role", ("r", [5]), "a privilege should be a dict, at index 0"),
    ("admin_create_role", ("r", [{"ns": "test"}]), "a privilege needs an integer 'code'"),
    ("admin_create_role", ("r", [{"code": 10, "ns": 1}]),
     "'ns' of a privilege should be a string"),
    ("admin_create_role", ("r", [], None, "127.0.0.1"), "Whitelist must be a list"),
    ("admin_create_role", ("r", [], None, [1]), "Whitelist must consist of strings"),
    ("admin_create_role", ("r", [], None, None, "1"), "read_quota must be an integer."),
    ("admin_drop_role", (1,), "Role name should be a string"),
    ("admin_grant_privileges", ("r", None), "Privileges should be a list"),
    ("admin_revoke_privileges", (None, []), "Role name should be a string"),
    ("admin_set_whitelist", (1, None), "Role name should be a string."),
    ("admin_set_whitelist", ("r", "127.0.0.1"), "Whitelist must be a list"),
    ("admin_set_quotas", (1, 1, 1), "Role name should be a string."),
    ("admin_set_quotas", ("r", None, 1), "read_quota must be an integer."),
    ("admin_set_quotas", ("r", 1, "2"), "write_quota must be an integer."),
    ("admin_query_role", (None,), "Role name should be a string"),
    ("admin_get_role", (4,), "Role name should be a string"),
]


@pytest.mark.parametrize(("method", "args", "text"), BAD)
def test_a_wrong_argument_is_named(each_root: Any, secured: Any, method: str, args: Any,
                                   text: str) -> None:
    before = secured.control("counts")
    with pytest.raises(e.ParamError) as raised:
        getattr(each_root, method)(*args)
    assert raised.value.msg == text
    assert isinstance(raised.value, TypeError)
    assert _admin_count(secured.control("counts")) == _admin_count(before)


def _admin_count(counts: str) -> list[str]:
    return [word for word in counts.replace(";", " ").split() if word.startswith("admin=")]


@pytest.mark.parametrize("policy", ["", {"timeout": 0.1}, {"timeout": "1"}])
def test_a_wrong_policy_is_refused(each_root: Any, policy: Any) -> None:
    with pytest.raises(e.ParamError):
        each_root.admin_query_users_info(policy)


def test_lists_with_wrong_elements(each_root: Any, name: str) -> None:
    for roles in ([1], ["r" * 64]):
        with pytest.raises(e.ClientError, match="at index 0"):
            each_root.admin_create_user(name, "p", roles)
    with pytest.raises(e.ClientError, match="63 bytes"):
        each_root.admin_create_user(name, "p" * 64, ["read"])
    with pytest.raises(e.ParamError, match="no privilege"):
        each_root.admin_create_role(name, [{"code": 256}])
    with pytest.raises(e.ParamError, match="does not fit"):
        each_root.admin_set_quotas(name, -1, 0)


def test_names_of_arguments_of_both_peers(root: Any, strict_root: Any, name: str) -> None:
    root.admin_create_user(username=name, password="p", roles=["read"], policy=None)
    root.admin_query_user_info(user=name)
    strict_root.admin_drop_user(user=name, policy={"timeout": 2000})
