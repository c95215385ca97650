"""The configuration file: what it says outranks the program."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aerospike_py
from aerospike_py import exception as e
from aerospike_py.helpers.metrics import MetricsPolicy

pytestmark = pytest.mark.local_only


class File:
    """A file whose every change is seen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = time.time_ns()

    def say(self, **sections: Any) -> None:
        static = sections.pop("static", {})
        self.write(json.dumps({"version": "1.0.0", "static": static, "dynamic": sections}))

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self._stamp += 10**9
        os.utime(self.path, ns=(self._stamp, self._stamp))

    @property
    def provider(self) -> aerospike_py.ConfigProvider:
        return aerospike_py.ConfigProvider(str(self.path), 100)


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "config.json")


def stores_key(client: Any, key: Any, policy: Any) -> bool:
    client.put(key, {"a": 1}, policy=policy)
    found = client.query("test", key[1]).results()
    return [k[2] for k, _, _ in found if bytes(k[3]) == bytes(
        aerospike_py.calc_digest(*key[:3]))] == [key[2]]


SEND = {"key": aerospike_py.POLICY_KEY_SEND}
DIGEST = {"key": aerospike_py.POLICY_KEY_DIGEST}


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_file_outranks_the_call(make_client: Callable[..., Any], file: File, new_key: Any,
                                    set_name: str) -> None:
    file.say(write={"send_key": False})
    client = make_client(config_provider=file.provider)
    assert not stores_key(client, new_key(set_name=set_name), SEND)
    assert stores_key(make_client(), new_key(set_name=set_name), SEND)


def test_the_strict_face_obeys_as_well(make_strict: Callable[..., Any], file: File,
                                       new_key: Any, set_name: str) -> None:
    file.say(write={"send_key": True}, read={"replica": "PREFER_RACK"})
    client = make_strict(config_provider=file.provider)
    assert stores_key(client, new_key(set_name=set_name), DIGEST)


def test_a_change_is_seen(make_client: Callable[..., Any], file: File, new_key: Any,
                          set_name: str) -> None:
    file.say(write={"send_key": True})
    client = make_client(config_provider=file.provider)
    assert stores_key(client, new_key(set_name=set_name), DIGEST)
    file.say()
    wait_for(lambda: not stores_key(client, new_key(set_name=set_name), DIGEST))
    file.say(write={"send_key": True})
    wait_for(lambda: stores_key(client, new_key(set_name=set_name), DIGEST))


def test_timeouts_of_the_file(make_client: Callable[..., Any], file: File, server: Any,
                              key: Any) -> None:
    file.say(read={"total_timeout": 60, "max_retries": 0})
    client = make_client(config_provider=file.provider)
    client.put(key, {"a": 1})
    server.fault("delay", ms=400, classes="read", times=1)
    with pytest.raises(e.AerospikeTimeoutError, match="of 60 ms"):
        client.get(key, {"total_timeout": 5000})


def test_the_environment_names_a_file(make_client: Callable[..., Any], file: File, new_key: Any,
                                      set_name: str, tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    file.say(write={"send_key": False})
    other = File(tmp_path / "other.json")
    other.say(write={"send_key": True})
    monkeypatch.setenv("AEROSPIKE_CLIENT_CONFIG_URL", f"file://{file.path}")
    for more in ({}, {"config_provider": other.provider}):
        client = make_client(**more)
        assert not stores_key(client, new_key(set_name=set_name), SEND)


def test_yaml(make_client: Callable[..., Any], file: File, new_key: Any, set_name: str) -> None:
    pytest.importorskip("yaml")
    file.write("version: 1.0.0\ndynamic:\n  write:\n    send_key: true\n"
               "  read:\n    replica: MASTER\n    read_mode_ap: all\n")
    client = make_client(config_provider=file.provider)
    assert stores_key(client, new_key(set_name=set_name), DIGEST)
    file.write("dynamic: [")
    with pytest.raises(e.ParamError, match="configuration file"):
        make_client(config_provider=file.provider)


def test_settings_of_the_client(make_client: Callable[..., Any], file: File) -> None:
    file.say(static={"client": {"max_connections_per_node": 7}},
             client={"app_id": "from the file", "tend_interval": 300})
    client = make_client(config_provider=file.provider, app_id="mine", max_conns_per_node=50)
    assert client._snapshot_metrics()["app_id"] == "from the file"
    assert client._setting("max_conns_per_node") == 7
    assert client._setting("tend_interval") == 300


@pytest.mark.parametrize(("sections", "text"), [
    ({"read": {"total_timeout": "1"}}, "read.total_timeout cannot be '1'"),
    ({"read": {"replica": "NOBODY"}}, "read.replica cannot be 'NOBODY'"),
    ({"write": {"send_key": 1}}, "write.send_key cannot be 1"),
    ({"write": {"durable_delete": "yes"}}, "write.durable_delete cannot be 'yes'"),
    ({"client": {"rack_ids": 1}}, "client.rack_ids cannot be 1"),
    ({"read": 5}, "dynamic.read is no mapping")])
def test_what_is_wrong_is_said_at_connect(make_client: Callable[..., Any], file: File,
                                          sections: Any, text: str) -> None:
    file.say(**sections)
    with pytest.raises(e.ParamError) as raised:
        make_client(config_provider=file.provider)
    assert text in str(raised.value)


def test_a_file_that_is_not_there(make_client: Callable[..., Any], file: File) -> None:
    with pytest.raises(e.ParamError, match="cannot read"):
        make_client(config_provider=file.provider)


def test_what_is_not_known_is_passed_over(make_client: Callable[..., Any], file: File,
                                          caplog: pytest.LogCaptureFixture) -> None:
    file.say(read={"colour": 5}, client={"shape": 1})
    with caplog.at_level(logging.WARNING, "aerospike_py"):
        make_client(config_provider=file.provider)
    assert "read.colour is not known" in caplog.text
    assert "client.shape is not known" in caplog.text


def test_a_mistake_later_changes_nothing(make_client: Callable[..., Any], file: File,
                                         new_key: Any, set_name: str,
                                         caplog: pytest.LogCaptureFixture) -> None:
    file.say(write={"send_key": True})
    client = make_client(config_provider=file.provider)
    with caplog.at_level(logging.WARNING, "aerospike_py"):
        file.write("{")
        wait_for(lambda: "what it said before stands" in caplog.text)
    assert stores_key(client, new_key(set_name=set_name), DIGEST)
    file.path.unlink()
    time.sleep(0.3)
    assert stores_key(client, new_key(set_name=set_name), DIGEST)


def test_the_file_switches_metrics(make_client: Callable[..., Any], file: File, tmp_path: Path,
                                   caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    policy = MetricsPolicy(report_dir=str(folder))
    file.say(metrics={"enable": True, "latency_columns": 3, "labels": {"from": "file"}})
    client = make_client(config_provider=file.provider, policies={"metrics": policy})
    assert len(list(folder.iterdir())) == 1
    with caplog.at_level(logging.WARNING, "aerospike_py"):
        client.enable_metrics()
        client.disable_metrics()
    assert caplog.text.count("switched by the configuration file") == 2
    (path,) = folder.iterdir()
    assert "read[3,1]" in path.read_text()
    file.say(metrics={"enable": False})
    wait_for(lambda: "[[from,file]]" in path.read_text())  # the last line


def test_a_provider_is_what_the_official_one_is() -> None:
    provider = aerospike_py.ConfigProvider("a.yml")
    assert (provider.path, provider.interval) == ("a.yml", 5000)
    for name in ("path", "interval"):
        with pytest.raises(AttributeError):
            setattr(provider, name, 1)
    with pytest.raises(TypeError):
        aerospike_py.ConfigProvider(1)  # type: ignore[arg-type]
    with pytest.raises((ValueError, OverflowError)):
        aerospike_py.ConfigProvider("a", 2**32)


def test_something_else_is_no_provider(make_client: Callable[..., Any]) -> None:
    with pytest.raises(e.ParamError) as raised:
        make_client(connect=False, config_provider=0)
    assert raised.value.msg == ("config_provider must be an aerospike.ConfigProvider class "
                                "instance. But a int was received instead")
