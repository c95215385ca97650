"""The FastAPI example, asked by real HTTP requests."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import threading
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")
uvicorn = pytest.importorskip("uvicorn")

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "fastapi_app.py"
LOOPS = ["asyncio"]
if importlib.util.find_spec("uvloop"):
    LOOPS.append("uvloop")


@pytest.fixture(params=LOOPS)
def url(request, server, monkeypatch):
    """Where the example listens, in a thread of its own."""
    host, port = server.hosts[0]
    monkeypatch.setenv("AEROSPIKE_HOST", f"{host}:{port}")
    spec = importlib.util.spec_from_file_location("fastapi_app", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    listener = socket.create_server(("127.0.0.1", 0))
    web = uvicorn.Server(uvicorn.Config(module.app, log_level="warning", loop=request.param,
                                        ws="none"))
    thread = threading.Thread(target=web.run, args=([listener],))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    web.should_exit = True
    thread.join(20)
    assert not thread.is_alive()
    assert not module.app.state.client.is_connected()
    listener.close()


@pytest.fixture
def user(new_key, url):
    return f"{url}/users/{new_key(None, 'users')[2]}"


def test_a_user_is_written_read_and_removed(user):
    with httpx.Client() as http:
        assert http.get(user).status_code == 404
        assert http.put(user, json={"name": "Ada", "age": 36}).status_code == 204
        answer = http.get(user)
        assert answer.status_code == 200
        assert answer.json() == {"name": "Ada", "age": 36}
        assert answer.headers["etag"] == '"1"'
        assert http.put(user, json={"name": "Ada", "age": 37}).status_code == 204
        assert http.get(user).headers["etag"] == '"2"'
        assert http.delete(user).status_code == 204
        assert http.get(user).status_code == 404
        assert http.put(user, json={"name": "Ada", "age": -1}).status_code == 422


def test_errors_are_answers(server, user):
    with httpx.Client() as http:
        http.put(user, json={"name": "Ada", "age": 36})
        server.fault("delay", ms=1500, classes=("read", "batch"), times=1)
        answer = http.get(user, timeout=10)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        server.fault("code", code=22, classes="read", times=1)
        assert http.get(user).status_code == 502
        assert http.get(user).json() == {"name": "Ada", "age": 36}


def test_many_requests_at_once(url, user):
    async def ask():
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(limits=limits, timeout=30) as http:
            await http.put(user, json={"name": "Ada", "age": 36})
            return await asyncio.gather(*[http.get(user) for _ in range(200)])

    answers = asyncio.run(ask())
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json() == {"name": "Ada", "age": 36} for answer in answers)


def test_a_client_that_hangs_up_costs_nobody_anything(server, user):
    with httpx.Client() as http:
        http.put(user, json={"name": "Ada", "age": 36})
        server.fault("delay", ms=200, classes=("read", "batch"), times=2)
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                http.get(user, timeout=0.05)
        assert http.get(user, timeout=10).json() == {"name": "Ada", "age": 36}
