"""Checks of a client's configuration, and its normal form for the core.

What is wrong is said by name. Most of it is said when the client is made; what users of the
Rust package are used to hear of only when they connect waits until then.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

DEFAULT_PORT = 3000
TEND_LEAST = 250  # milliseconds

TOP_KEYS = frozenset("""
hosts user password validate_keys config_provider lua tls shm serialization policies
thread_pool_size max_threads min_conns_per_node max_conns_per_node max_error_rate
error_rate_window connect_timeout use_shared_connection send_bool_as compression_threshold
tend_interval cluster_name app_id strict_types rack_aware rack_id rack_ids
use_services_alternate max_socket_idle fail_if_not_connected force_single_node
timeout idle_timeout conn_pools_per_node auth_mode max_concurrent_operations
operation_queue_timeout_ms ip_map coalesce_reads coalesce_max_rows coalesce_max_requests
async_warm_connections compat
""".split())
SUB_KEYS = {
    "lua": frozenset(("user_path", "system_path")),
    "tls": frozenset("""enable cafile capath protocols cipher_suite keyfile keyfile_pw
        cert_blacklist certfile crl_check crl_check_all log_session_info for_login_only""".split()),
    "shm": frozenset("""shm_key max_nodes max_namespaces takeover_threshold_sec shm_max_nodes
        shm_max_namespaces shm_takeover_threshold_sec""".split()),
}
POLICY_KINDS = ("read", "write", "operate", "remove", "apply", "query", "scan", "batch",
                "batch_parent_write", "batch_read", "batch_write", "batch_apply", "batch_remove",
                "txn_verify", "txn_roll", "info", "admin")
POLICY_EXTRAS = frozenset("""metrics auth_mode login_timeout_ms total_timeout socket_timeout
    max_retries key exists replica commit_level read_mode_ap read_mode_sc max_threads
    thread_pool_size""".split())
SHORTCUTS = ("total_timeout", "socket_timeout", "max_retries", "key", "exists", "replica",
             "commit_level", "read_mode_ap")
#: Settings of the asynchronous client, and the most that each may be.
AT_LEAST_ONE = {"async_warm_connections": 0xFFFF, "coalesce_max_rows": 5000,
                "coalesce_max_requests": 1000}
FLAGS = frozenset("""compress durable_delete on_locking_only deserialize concurrent allow_inline
    allow_inline_ssd respond_all_keys short_query include_bin_data send_as_is
    check_bounds""".split())
OBJECTS = frozenset(("expressions", "filter_expression", "txn", "partition_filter"))
ENUMS = frozenset(("key", "replica", "gen", "exists", "commit_level", "read_mode_ap",
                   "read_mode_sc"))


def fault(kind: str, text: str, msg: str | None = None, code: int = -2) -> Exception:
    """An exception, mostly of a parameter class; `msg` if the official text is shorter."""
    from ._aerospike import exceptions

    msg = text if msg is None else msg
    made: Exception = exceptions[kind](code, msg, None, None, False)
    made.__dict__.update(code=code, msg=msg, in_doubt=False, _text=text)
    return made


def param(text: str) -> Exception:
    """A value is wrong."""
    return fault("ParamValueError", text)


def param_type(text: str) -> Exception:
    """A type is wrong."""
    return fault("ParamTypeError", text)


def bad_setting(name: str, kind: str = "ParamTypeError") -> Exception:
    """A setting is wrong, of a policy or of those checked like one."""
    msg = "Invalid Policy setting value"
    return fault(kind, f"{msg}: {name}", msg)


def wrong_class(name: str, wanted: str, value: Any) -> Exception:
    """A setting is of another class."""
    return param_type(f"{name} must be an {wanted} class instance. But a "
                      f"{type(value).__name__} was received instead")


# ---- hosts ----


def _host_tuple(item: tuple[Any, ...]) -> tuple[str, int, str]:
    if not 1 <= len(item) <= 3 or not isinstance(item[0], str) or not item[0]:
        raise param_type("Invalid host")
    port = item[1] if len(item) > 1 else DEFAULT_PORT
    if isinstance(port, bool) or not isinstance(port, int):
        raise param_type("Invalid host -> The host port must be an integer")
    if not 0 < port < 65536:
        raise fault("ParamOverflowError", f"Invalid host -> port {port} is out of range")
    tls_name = item[2] if len(item) > 2 and isinstance(item[2], str) else ""
    return item[0], port, tls_name


def _host_text(text: str) -> tuple[str, int, str]:
    host, port = text, str(DEFAULT_PORT)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host:
        raise param(f"Invalid host {text!r}")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise param(f"Invalid port in host {text!r}")
    return host, int(port), ""


def read_hosts(hosts: Any, strict: bool) -> tuple[list[tuple[str, int, str]], Exception | None]:
    """Hosts in one form; and a mistake that is to be said at connect."""
    if not isinstance(hosts, list):
        raise param_type("Hosts must be a list")
    if not hosts:
        error = param("Hosts must not be empty")
        if strict:
            raise error
        return [], error
    found: list[tuple[str, int, str]] = []
    for item in hosts:
        if isinstance(item, tuple):
            found.append(_host_tuple(item))
        elif isinstance(item, str):
            try:
                found.append(_host_text(item))
            except Exception as error:
                if strict:
                    raise
                return [], error
        else:
            raise param_type("Invalid host")
    return found, None


# ---- numbers and flags ----


def _unsigned(name: str, value: Any, strict: bool, most: int = 0xFFFFFFFF) -> int | None:
    """A number, or None where the official client passes over another type."""
    if isinstance(value, bool) or not isinstance(value, int):
        if strict:
            return None
        raise param_type(f"{name} must be an integer")
    if value < 0:
        raise fault("ParamOverflowError", f"{name} must not be negative")
    if value > most:
        raise fault("ParamOverflowError", f"{name} is too large")
    return value


def _read_numbers(config: Mapping[str, Any], out: dict[str, Any], strict: bool) -> None:
    names = ("max_conns_per_node", "min_conns_per_node", "max_error_rate", "error_rate_window",
             "max_socket_idle", "tend_interval", "connect_timeout", "thread_pool_size",
             "max_concurrent_operations", "operation_queue_timeout_ms", "conn_pools_per_node")
    for name in names:
        if config.get(name) is not None:
            out[name] = _unsigned(name, config[name], strict)
    if (out.get("conn_pools_per_node") or 0) > 1:
        import logging

        logging.getLogger("aerospike_py").info(
            "conn_pools_per_node=%d has no effect: a node has one pool of up to "
            "max_conns_per_node connections", out["conn_pools_per_node"])
    for name, most in AT_LEAST_ONE.items():
        if config.get(name) is not None:
            out[name] = _unsigned(name, config[name], False, most)
            if out[name] == 0:
                raise param(f"{name} must be at least 1")
    if config.get("timeout") is not None and "connect_timeout" not in out:
        out["connect_timeout"] = _unsigned("timeout", config["timeout"], strict)
    if config.get("max_threads") is not None and "max_conns_per_node" not in out:
        out["max_conns_per_node"] = _unsigned("max_threads", config["max_threads"], strict)
    if config.get("idle_timeout") is not None and "max_socket_idle" not in out:
        out["max_socket_idle"] = _unsigned("idle_timeout", config["idle_timeout"], strict)
    if out.get("tend_interval") is not None:
        out["tend_interval"] = max(out["tend_interval"], TEND_LEAST)
    threshold = config.get("compression_threshold")
    if isinstance(threshold, int) and threshold < 0:
        raise param("Compression value must not be negative")


def _read_flags(config: Mapping[str, Any], out: dict[str, Any]) -> None:
    if not isinstance(config.get("validate_keys", False), bool):
        raise param_type('config["validate_keys"] must be a boolean')
    for name in ("validate_keys", "strict_types", "fail_if_not_connected", "force_single_node"):
        if isinstance(config.get(name), bool):
            out[name] = config[name]
    for name in ("use_services_alternate", "rack_aware"):
        if config.get(name) is not None and not isinstance(config[name], bool):
            raise bad_setting(name)
        out[name] = bool(config.get(name))
    coalesce = config.get("coalesce_reads", False)
    if not isinstance(coalesce, bool):
        raise param_type("coalesce_reads must be a boolean")
    out["coalesce_reads"] = coalesce


def _read_racks(config: Mapping[str, Any], out: dict[str, Any]) -> None:
    ids: list[Any] = []
    if config.get("rack_id") is not None:
        ids = [config["rack_id"]]
    if config.get("rack_ids") is not None:
        ids = config["rack_ids"]
        if not isinstance(ids, list):
            raise bad_setting("rack_ids")
    for number in ids:
        if isinstance(number, bool) or not isinstance(number, int):
            raise bad_setting("rack_ids")
        if not -1 < number < 2**31:
            raise bad_setting("rack_ids", "ParamOverflowError")
    out["rack_ids"] = ids or None


# ---- policies ----


def _check_policy_value(name: str, value: Any) -> None:
    if name in OBJECTS:
        return
    if name in ENUMS and value is None:
        return
    if name in FLAGS:
        fine = isinstance(value, bool)
    elif name == "read_touch_ttl_percent":
        fine = isinstance(value, int) and -1 <= value <= 100
    elif name == "generation":
        fine = isinstance(value, int) and 0 <= value <= 0xFFFF
    elif name == "ttl":
        fine = isinstance(value, int) and -3 <= value <= 0xFFFFFFFF
    else:
        fine = isinstance(value, int) and 0 <= value <= 0xFFFFFFFF
    if not fine:
        raise bad_setting(name)


def _read_policies(config: Mapping[str, Any], out: dict[str, Any], validate: bool) -> None:
    policies = config.get("policies") or {}
    if not isinstance(policies, dict):
        raise param_type("policies must be a dict")
    found: dict[str, dict[str, Any]] = {}
    shortcuts = {k: policies[k] for k in SHORTCUTS if policies.get(k) is not None}
    for name, value in shortcuts.items():
        _check_policy_value(name, value)
    for kind in POLICY_KINDS:
        given = policies.get(kind)
        if given is not None and not isinstance(given, dict):
            raise bad_setting(kind)
        merged = {**shortcuts, **(given or {})}
        for name, value in (given or {}).items():
            if validate and name not in KNOWN_POLICY_KEYS:
                raise param(f'"{name}" is an invalid policy dictionary key')
            _check_policy_value(name, value)
        found[kind] = {k: v for k, v in merged.items()
                       if v is not None and k not in OBJECTS}
    out["policies"] = found
    metrics = policies.get("metrics")
    if metrics is not None:
        from .helpers.metrics import MetricsPolicy

        if not isinstance(metrics, MetricsPolicy):
            raise wrong_class("metrics", "aerospike_helpers.metrics.MetricsPolicy", metrics)
        out["metrics"] = metrics
    auth_mode = config.get("auth_mode", policies.get("auth_mode"))
    if isinstance(auth_mode, int) and not isinstance(auth_mode, bool):
        out["auth_mode"] = auth_mode
    if policies.get("login_timeout_ms") is not None:
        out["login_timeout_ms"] = _unsigned("login_timeout_ms", policies["login_timeout_ms"], True)
    if validate:
        for name in policies:
            if name not in POLICY_EXTRAS and name not in POLICY_KINDS:
                raise param(f'"{name}" is an invalid client config dictionary key')


KNOWN_POLICY_KEYS = frozenset("""
total_timeout socket_timeout max_retries sleep_between_retries timeout_delay connect_timeout
compress expressions filter_expression txn error_detail_verbosity key gen exists commit_level
durable_delete replica ttl on_locking_only compression_threshold generation deserialize
read_touch_ttl_percent read_mode_ap read_mode_sc concurrent concurrency allow_inline
allow_inline_ssd respond_all_keys short_query expected_duration include_bin_data max_records
records_per_second max_concurrent_nodes record_queue_size partition_filter timeout send_as_is
check_bounds
""".split())


def _check_official(config: Mapping[str, Any], validate: bool) -> None:
    """What the official client refuses and the main face takes."""
    if any(isinstance(host, tuple) and len(host) == 1 for host in config["hosts"]):
        raise param_type("Invalid host")
    for name in ("use_services_alternate", "rack_aware"):
        if name in config and config[name] is None:
            raise bad_setting(name)
    interval = config.get("tend_interval")
    if isinstance(interval, int) and interval < TEND_LEAST:
        raise fault("ClientError", f"Invalid tend interval: {interval}. min value: {TEND_LEAST}",
                    code=-1)
    policies = config.get("policies") or {}
    if validate and "batch_read" in policies:
        raise param('"batch_read" is an invalid client config dictionary key')
    for kind in POLICY_KINDS:
        if kind in policies and (policies[kind] is None or policies[kind].get("ttl", 0) < 0):
            raise bad_setting(kind)


def _read_auth(out: dict[str, Any], strict: bool) -> None:
    """Numbers of AUTH_* to the core's, which are the official ones."""
    mode = out.get("auth_mode", 0)
    order = (0, 1, 2, 3) if strict else (0, 1, 3, 2)
    if not 0 <= mode <= 3:
        raise param("Specify valid auth_mode")
    out["auth_mode"] = order[mode]


# ---- the rest ----


def _obey_file(out: dict[str, Any], strict: bool) -> None:
    """The configuration file outranks the program; what is wrong with it is said at connect."""
    from . import _dynamic

    out["strict"] = strict
    out["watched"] = _dynamic.path_of(out.get("config_provider")) is not None
    if not out["watched"]:
        return
    try:
        settings, out["forced"] = _dynamic.read(out.get("config_provider"), strict)
    except Exception as error:
        out["error"] = out["error"] or error
    else:
        out.update(settings)


def _check_auth(out: dict[str, Any]) -> None:
    """A password in clear, or a certificate, goes over TLS; said at connect."""
    external, pki = 1, 3
    if out["auth_mode"] in (external, pki) and "tls" not in out and out["error"] is None:
        what = "AUTH_PKI" if out["auth_mode"] == pki else "AUTH_EXTERNAL"
        hint = "" if out["auth_mode"] == pki else ", or AUTH_EXTERNAL_INSECURE instead"
        out["error"] = param(f"auth_mode {what} needs 'tls'{hint}")


def _read_texts(config: Mapping[str, Any], out: dict[str, Any]) -> None:
    for name in ("user", "password", "cluster_name"):
        text = config.get(name)
        if isinstance(text, str):
            out[name] = text
        elif text is not None and out["error"] is None:
            out["error"] = param_type(f"{name} must be a str, not {type(text).__name__}")
    app_id = config.get("app_id")
    if app_id is not None and not isinstance(app_id, str):
        raise TypeError("app_id must be a str")
    out["app_id"] = app_id


def _read_serialization(config: Mapping[str, Any], out: dict[str, Any]) -> None:
    pair = config.get("serialization")
    if pair is None:
        return
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise param_type("serialization must be a tuple of two")
    for what, function in zip(("Serializer", "Deserializer"), pair, strict=True):
        if function is not None and not callable(function):
            raise param_type(f"{what} must be callable")
    out["serialization"] = pair


def _read_lua(config: Mapping[str, Any], out: dict[str, Any]) -> None:
    lua = config.get("lua") or {}
    path = lua.get("user_path") if isinstance(lua, dict) else None
    if isinstance(path, str):
        if len(path) > 255:
            raise param("Lua user path too long")
        out["lua_user_path"] = path


def _read_shm(config: Mapping[str, Any], out: dict[str, Any]) -> None:
    shm = config.get("shm")
    if isinstance(shm, dict):
        key = shm.get("shm_key")
        out["shm_key"] = key if isinstance(key, int) else 0xA5000000
        warnings.warn("shm is accepted but nothing is shared: every process tends by itself",
                      stacklevel=4)


def _read_tls(config: Mapping[str, Any], out: dict[str, Any]) -> None:
    tls = config.get("tls")
    if not isinstance(tls, dict) or not tls.get("enable"):
        return
    found = {k: v for k, v in tls.items() if isinstance(v, (str, bool))}
    if "cafile" not in found and "capath" not in found:
        import ssl

        paths = ssl.get_default_verify_paths()
        if paths.cafile:
            found["cafile"] = paths.cafile
        elif paths.capath:
            found["capath"] = paths.capath
    out["tls"] = found


def _read_provider(config: Mapping[str, Any], out: dict[str, Any]) -> None:
    provider = config.get("config_provider")
    if provider is None:
        return
    from ._values import ConfigProvider

    if not isinstance(provider, ConfigProvider):
        raise wrong_class("config_provider", "aerospike.ConfigProvider", provider)
    out["config_provider"] = provider


def _read_ip_map(config: Mapping[str, Any], out: dict[str, Any]) -> None:
    pairs = config.get("ip_map")
    if pairs is None:
        return
    if not isinstance(pairs, dict) or not all(
            isinstance(k, str) and isinstance(v, str) for k, v in pairs.items()):
        raise param_type("ip_map must be a dict from str to str")
    out["ip_map"] = pairs


def _check_keys(config: Mapping[str, Any]) -> None:
    for name in config:
        if name not in TOP_KEYS:
            raise param(f'"{name}" is an invalid client config dictionary key')
    for part, known in SUB_KEYS.items():
        if isinstance(config.get(part), dict):
            for name in config[part]:
                if name not in known:
                    raise param(f'"{name}" is an invalid client config dictionary key')


def normalize(config: Any, strict: bool, asynchronous: bool) -> dict[str, Any]:
    """The configuration in the form the core reads.

    Parameters
    ----------
    config : dict
        What the user wrote.
    strict : bool
        For the official face.
    asynchronous : bool
        For an AsyncClient.

    Returns
    -------
    dict
        Checked values; ``error``, if there, is to be raised at connect.

    Raises
    ------
    ParamError
        Something is wrong; the text names it.
    """
    if not isinstance(config, dict):
        raise param_type("Config must be a dict")
    out: dict[str, Any] = {}
    _read_flags(config, out)
    validate = out.get("validate_keys", False)
    if validate:
        _check_keys(config)
    if "hosts" not in config and not strict:
        out["hosts"], out["error"] = [], param("Hosts must be a list: 'hosts' is missing")
    else:
        out["hosts"], out["error"] = read_hosts(config.get("hosts"), strict)
    _read_numbers(config, out, strict)
    _read_racks(config, out)
    _read_policies(config, out, validate)
    if strict:
        _check_official(config, validate)
    _read_auth(out, strict)
    _read_texts(config, out)
    if strict and ("user" in out) != ("password" in out):
        out.pop("user", None)  # only a pair counts there
        out.pop("password", None)
    readers: tuple[Callable[[Mapping[str, Any], dict[str, Any]], None], ...] = (
        _read_serialization, _read_lua, _read_shm, _read_tls, _read_provider, _read_ip_map)
    for read in readers:
        read(config, out)
    _obey_file(out, strict)
    _check_auth(out)
    out["send_bool_as_int"] = config.get("send_bool_as") == 0 and config.get(
        "send_bool_as") is not False
    compat = config.get("compat")
    if compat not in (None, "official"):
        raise param("compat must be 'official'")
    out["strict_results"] = compat == "official"
    return out


def hash_password(password: str) -> str:
    """The password's hash where the C library has no bcrypt (macOS)."""
    try:
        import bcrypt
    except ImportError as error:
        raise fault("ParamError", "logging in needs the package 'bcrypt' on this "
                                  "platform") from error
    hashed: bytes = bcrypt.hashpw(password.encode(), b"$2a$10$7EqJtq98hPqEX7fNZaFWoO")
    return hashed.decode()


def make_stats(nodes: list[dict[str, Any]], retries: int, recovering: int, commands: int,
               recovered: int, aborted: int) -> Any:
    """Counters as the objects that users read."""
    from .helpers.metrics import ClusterStats

    return ClusterStats._from_core(nodes, retries, recovering, commands, recovered, aborted)
