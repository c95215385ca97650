"""A file with settings that outrank those of the program, looked at again and again.

The file is YAML (with the package ``pyyaml``, the extra ``yaml``) or JSON::

    version: 1.0.0
    static:
      client: {max_connections_per_node: 50}
    dynamic:
      client: {app_id: shop, rack_aware: true, rack_ids: [1]}
      read: {replica: SEQUENCE, total_timeout: 500}
      write: {send_key: true}
      metrics: {enable: true, latency_columns: 7, latency_shift: 1, labels: {zone: a}}

Settings of ``client`` count when the client connects; policies and metrics at once.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from . import _aerospike
from ._config import fault

logger = logging.getLogger("aerospike_py")
URL = "AEROSPIKE_CLIENT_CONFIG_URL"
INTERVAL_MS = 5000

#: Sections of policies, and the kinds of policies that they are about.
SECTIONS = {
    "read": ("read",), "write": ("write", "operate", "remove", "apply"), "query": ("query",),
    "scan": ("scan",), "batch_read": ("batch", "batch_read"),
    "batch_write": ("batch_parent_write", "batch_write"), "batch_udf": ("batch_apply",),
    "batch_delete": ("batch_remove",), "txn_roll": ("txn_roll",), "txn_verify": ("txn_verify",),
}
#: Members whose values are names of constants.
PREFIXES = {"replica": "POLICY_REPLICA_", "read_mode_ap": "POLICY_READ_MODE_AP_",
            "read_mode_sc": "POLICY_READ_MODE_SC_", "expected_duration": "QUERY_DURATION_"}
NUMBERS = frozenset(("total_timeout", "socket_timeout", "connect_timeout", "timeout_delay",
                     "max_retries", "sleep_between_retries", "record_queue_size",
                     "max_concurrent_nodes"))
FLAGS = frozenset(("durable_delete", "allow_inline", "allow_inline_ssd", "respond_all_keys",
                   "include_bin_data", "deserialize", "compress", "concurrent"))
#: Settings of a client: their names here, and the type they have.
CLIENT: dict[str, tuple[str, Callable[[Any], bool]]]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_racks(value: Any) -> bool:
    return isinstance(value, list) and all(_is_number(v) for v in value)


CLIENT = {
    "max_connections_per_node": ("max_conns_per_node", _is_number),
    "min_connections_per_node": ("min_conns_per_node", _is_number),
    "app_id": ("app_id", _is_text), "timeout": ("connect_timeout", _is_number),
    "login_timeout": ("login_timeout_ms", _is_number),
    "error_rate_window": ("error_rate_window", _is_number),
    "max_error_rate": ("max_error_rate", _is_number),
    "max_socket_idle": ("max_socket_idle", _is_number),
    "tend_interval": ("tend_interval", _is_number),
    "fail_if_not_connected": ("fail_if_not_connected", _is_flag),
    "rack_aware": ("rack_aware", _is_flag), "rack_ids": ("rack_ids", _are_racks),
    "use_service_alternative": ("use_services_alternate", _is_flag),
}


class Mistake(ValueError):
    """What is wrong with a file."""


# ---- reading ----


def path_of(provider: Any) -> tuple[str, int] | None:
    """The file and how often it is looked at, milliseconds; the environment comes first."""
    url = os.environ.get(URL)
    if url:
        return url.removeprefix("file://"), getattr(provider, "interval", INTERVAL_MS)
    return None if provider is None else (provider.path, provider.interval)


def load(path: str) -> dict[str, Any]:
    """The file's contents.

    Raises
    ------
    Mistake
        It cannot be read, or is no mapping.
    """
    try:
        with open(path, encoding="utf-8") as f:
            text = f.read()
    except OSError as error:
        raise Mistake(f"cannot read {path}: {error.strerror}") from error
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else _load_yaml(text)
    except ValueError as error:
        raise Mistake(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise Mistake(f"{path} is no mapping")
    return found


def _load_yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise Mistake("a YAML file needs the package 'pyyaml'; a JSON file does not") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Mistake(str(error).replace("\n", " ")) from error


def _part(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A section within a section; nothing where there is none."""
    here: Any = found
    for name in names:
        here = here.get(name)
        if here is None:
            return {}
        if not isinstance(here, dict):
            raise Mistake(f"{'.'.join(names)} is no mapping")
    return dict(here)


def settings_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the file says of the client itself, by the names of the configuration."""
    made = {}
    for name, value in {**_part(found, "static", "client"),
                        **_part(found, "dynamic", "client")}.items():
        if name not in CLIENT:
            logger.warning("configuration file: client.%s is not known", name)
            continue
        own, fits = CLIENT[name]
        if not fits(value):
            raise Mistake(f"client.{name} cannot be {value!r}")
        made[own] = value
    return made


def _value(section: str, name: str, value: Any, constants: Mapping[str, Any]) -> tuple[str, Any]:
    if name == "send_key" and _is_flag(value):
        return "key", int(value)
    if name in PREFIXES:
        number = constants.get(f"{PREFIXES[name]}{str(value).upper()}")
        if number is not None:
            return name, number
    elif (name in NUMBERS and _is_number(value)) or (name in FLAGS and _is_flag(value)):
        return name, value
    elif name not in NUMBERS and name not in FLAGS and name != "send_key":
        logger.warning("configuration file: %s.%s is not known", section, name)
        return "", None
    raise Mistake(f"{section}.{name} cannot be {value!r}")


def policies_of(found: Mapping[str, Any], strict: bool) -> dict[str, dict[str, Any]]:
    """What the file says of policies, by their kinds."""
    constants = _aerospike.official_constants if strict else _aerospike.constants
    made: dict[str, dict[str, Any]] = {}
    for section, kinds in SECTIONS.items():
        values = dict(_value(section, name, value, constants)
                      for name, value in _part(found, "dynamic", section).items())
        values.pop("", None)
        for kind in kinds if values else ():
            made[kind] = values
    return made


def read(provider: Any, strict: bool) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Settings and policies of the file, for a client that is made.

    Raises
    ------
    ParamError
        The file says something wrong, or cannot be read.
    """
    place = path_of(provider)
    if place is None:
        return {}, {}
    try:
        found = load(place[0])
        return settings_of(found), policies_of(found, strict)
    except Mistake as mistake:
        raise fault("ParamValueError", f"configuration file: {mistake}") from mistake


# ---- watching ----


class Governor(threading.Thread):
    """Looks at the file and tells the client what it says."""

    def __init__(self, client: Any, path: str, interval_ms: int) -> None:
        super().__init__(name="aerospike-config", daemon=True)
        self._client = weakref.ref(client)
        self._path = path
        self._seconds = max(interval_ms, 100) / 1000
        self._over = threading.Event()
        self._stamp: tuple[int, int] | None = None
        self._metrics: dict[str, Any] | None = None
        self.says_metrics = False

    def _changed(self) -> bool:
        try:
            found = os.stat(self._path)
        except OSError:
            return False  # it is being replaced, or gone: what it said stands
        stamp = found.st_mtime_ns, found.st_size
        before, self._stamp = self._stamp, stamp
        return stamp != before

    def look(self) -> None:
        """Obey the file, if it has changed."""
        client = self._client()
        if client is None or not self._changed():
            return
        try:
            found = load(self._path)
            client._force_policies(policies_of(found, client._setting("strict")) or None)
            self._obey_metrics(client, _part(found, "dynamic", "metrics"))
        except (Mistake, _aerospike.exceptions["AerospikeError"]) as mistake:
            logger.warning("configuration file: %s; what it said before stands", mistake)

    def _obey_metrics(self, client: Any, wish: dict[str, Any]) -> None:
        from . import _metrics

        self.says_metrics = isinstance(wish.get("enable"), bool)
        if wish == self._metrics:
            return
        self._metrics = wish
        if wish.get("enable") is True:
            _metrics.begin(client, self._policy(client, wish))
        elif wish.get("enable") is False:
            _metrics.end(client)

    @staticmethod
    def _policy(client: Any, wish: dict[str, Any]) -> Any:
        from .helpers.metrics import MetricsPolicy

        base = client._setting("metrics") or MetricsPolicy()
        names = ("metrics_listeners", "report_dir", "report_size_limit", "interval",
                 "latency_columns", "latency_shift", "labels")
        return MetricsPolicy(**{name: wish.get(name, getattr(base, name)) for name in names})

    def run(self) -> None:
        while not self._over.wait(self._seconds):
            if self._client() is None:
                return
            try:
                self.look()
            except Exception:
                logger.exception("configuration file: it was not obeyed")

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join(1)


def watch(client: Any) -> None:
    """The client has connected: begin to look, if there is a file."""
    place = path_of(client._setting("config_provider"))
    if place is None or getattr(client, "_governor", None) is not None:
        return
    from ._metrics import at_close

    client._governor = governor = Governor(client, *place)
    client._at_close = at_close
    governor.look()
    governor.start()
