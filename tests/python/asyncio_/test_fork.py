"""After a fork: the parent's loops are refused, in a loop of the child the client opens again."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

HEAD = """
import asyncio, os, sys, time, warnings, traceback
import aerospike_py
warnings.simplefilter("always")
warnings.filterwarnings("ignore", category=DeprecationWarning)
KEY = ("test", "fork", os.getpid())
client = aerospike_py.AsyncClient({"hosts": HOSTS, **CONFIG})
loop = asyncio.new_event_loop()

def in_child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        sys.stderr.flush()
        os._exit(0)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            assert status == 0, status
            return
        time.sleep(0.005)
    os.kill(pid, 9)
    raise SystemExit("the child hangs")

loop.run_until_complete(client.connect())
loop.run_until_complete(client.put(KEY, {"a": 1}))
"""


@pytest.fixture
def script(server, pump):
    def run(text: str, **config: object) -> str:
        head = f"HOSTS = {server.hosts!r}\nCONFIG = {config!r}\n" + HEAD
        done = subprocess.run([sys.executable, "-c", head + textwrap.dedent(text)],
                              capture_output=True, text=True, timeout=40, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    return run


def test_the_child_connects_again_and_is_warned_once(script):
    said = script("""
        def child():
            async def work():
                found = await asyncio.gather(*[client.get(KEY) for _ in range(20)])
                assert all(record.bins == {"a": 1} for record in found)
                await client.put(KEY, {"a": 2})
            asyncio.run(work())
            asyncio.run(once())
        async def once():
            assert (await client.get(KEY)).bins == {"a": 2}
        in_child(child)
        assert loop.run_until_complete(client.get(KEY)).bins == {"a": 2}
        loop.run_until_complete(client.close())
    """)
    assert said.count("RuntimeWarning") == 1
    assert "forked" in said


def test_the_parents_loop_is_refused_in_the_child(script):
    script("""
        def child():
            from aerospike_py.exception import ClientError
            async def work():
                try:
                    await client.get(KEY)
                except ClientError as error:
                    assert "parent" in str(error), error
                else:
                    raise AssertionError("it was not refused")
            loop.run_until_complete(work())
        in_child(child)
        assert loop.run_until_complete(client.get(KEY)).bins == {"a": 1}
        loop.run_until_complete(client.close())
    """)


def test_a_fork_inside_a_coroutine_with_operations_under_way(script):
    script("""
        async def work():
            tasks = [asyncio.create_task(client.get(KEY)) for _ in range(20)]
            await asyncio.sleep(0)
            def child():
                asyncio._set_running_loop(None)
                fresh = asyncio.new_event_loop()
                assert fresh.run_until_complete(client.get(KEY)).bins == {"a": 1}
            in_child(child)
            for record in await asyncio.gather(*tasks):
                assert record.bins == {"a": 1}
            await client.close()
        loop.run_until_complete(work())
    """)


def test_the_childs_limit_is_its_own(script):
    script("""
        async def work():
            tasks = [asyncio.create_task(client.get(KEY)) for _ in range(20)]
            await asyncio.sleep(0)
            def child():
                asyncio._set_running_loop(None)
                fresh = asyncio.new_event_loop()
                async def many():
                    await asyncio.gather(*[client.get(KEY) for _ in range(20)])
                fresh.run_until_complete(many())
            in_child(child)
            await asyncio.gather(*tasks)
            await client.close()
        loop.run_until_complete(work())
    """, max_concurrent_operations=3)


def test_a_closed_client_stays_closed_in_the_child(script):
    said = script("""
        loop.run_until_complete(client.close())
        def child():
            from aerospike_py.exception import NotConnected
            async def work():
                try:
                    await client.get(KEY)
                except NotConnected:
                    return
                raise AssertionError("it has connected")
            asyncio.run(work())
        in_child(child)
    """)
    assert "RuntimeWarning" not in said
