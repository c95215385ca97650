"""How the task that awaits an operation goes on when its reply has come."""

from __future__ import annotations

import asyncio
import contextvars
import time

import pytest

from aerospike_py import AsyncClient
from aerospike_py.exception import NotConnected

SETTLE = 0.05  # seconds of not looking: all replies are there afterwards


async def all_sent(tasks, client, key, count, then):
    """Fill the list with tasks that await one get each and go on with `then(number)`, most of
    them in one turn of the loop.
    """

    async def work(number):
        await client.get(key)
        return await then(number)

    await asyncio.gather(*[client.get(key) for _ in range(32)])  # to have connections
    tasks += [asyncio.create_task(work(n)) for n in range(count)]
    await asyncio.sleep(0)  # each has made its first step
    time.sleep(SETTLE)


async def test_a_task_goes_on_as_itself_in_its_own_context(open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    mine = contextvars.ContextVar("mine", default=-1)

    async def work(number):
        mine.set(number)
        for _ in range(20):
            await client.get(key)
            assert mine.get() == number
            assert asyncio.current_task() is tasks[number]

    tasks = [asyncio.create_task(work(n)) for n in range(32)]
    await asyncio.gather(*tasks)
    assert mine.get() == -1


async def test_slow_tasks_let_others_go_between_them(open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    gone_on = []
    between = []

    async def slow(number):
        gone_on.append(number)
        time.sleep(0.005)

    def tick():
        between.append(len(gone_on))
        if len(gone_on) < 10:
            loop.call_soon(tick)

    loop = asyncio.get_running_loop()
    loop.call_soon(tick)
    tasks = []
    await all_sent(tasks, client, key, 10, slow)
    await asyncio.gather(*tasks)
    steps = [after - before for before, after in zip([0, *between], between)]
    # a slow one has used up the time; asyncio itself wakes all who are there in one pass,
    # and does so in debug mode and for tasks that are not its own
    assert max(steps) <= 2, steps


@pytest.mark.parametrize("stopper", [SystemExit, KeyboardInterrupt])
def test_what_stops_a_loop_stops_it(hosts, new_loop, key, stopper):
    loop = new_loop()
    asyncio.set_event_loop(loop)
    client = AsyncClient({"hosts": hosts})
    loop.run_until_complete(client.connect())
    loop.run_until_complete(client.put(key, {"a": 1}))

    async def stop(number):
        if number == 3:
            raise stopper
        return number

    tasks = []

    async def main():
        await all_sent(tasks, client, key, 8, stop)
        return await asyncio.wait(tasks)

    task = loop.create_task(main())
    with pytest.raises(stopper):
        loop.run_until_complete(task)
    done, _ = loop.run_until_complete(task)  # the others go on
    found = [task.result() for task in done if not isinstance(task.exception(), stopper)]
    assert sorted(found) == [0, 1, 2, 4, 5, 6, 7]
    loop.run_until_complete(client.close())
    asyncio.set_event_loop(None)
    loop.close()


async def test_one_who_goes_on_cancels_the_next(open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})
    gone_on = []

    async def cancel_others(number):
        gone_on.append(number)
        for task in tasks:
            if task is not asyncio.current_task():
                task.cancel("by the first")

    tasks = []
    await all_sent(tasks, client, key, 8, cancel_others)
    await asyncio.wait(tasks)
    assert len(gone_on) == 1
    assert sum(task.cancelled() for task in tasks) == 7
    for _ in range(20):  # nobody has another's reply
        assert (await client.get(key)).bins == {"a": 1}


async def test_one_who_goes_on_closes_the_client(open_client, key):
    client = await open_client()
    await client.put(key, {"a": 1})

    async def close(number):
        if number == 0:
            await client.close()
        return number

    tasks = []
    await all_sent(tasks, client, key, 8, close)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(each == n or type(each) is NotConnected for n, each in enumerate(found))
    assert found[0] == 0


def test_debug_mode_wakes_in_asyncios_way(hosts, run, key):
    """There each task is a callback of its own, which the loop watches."""
    async def main():
        async with AsyncClient({"hosts": hosts}) as client:
            await client.connect()
            await client.put(key, {"a": 1})
            found = await asyncio.gather(*[client.get(key) for _ in range(100)])
            assert all(record.bins == {"a": 1} for record in found)
            task = asyncio.create_task(client.get(key))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main(), debug=True)


def test_tasks_written_in_python_are_woken_too(hosts, new_loop, key):
    loop = new_loop()
    loop.set_task_factory(lambda loop, coro, **more: asyncio.tasks._PyTask(coro, loop=loop, **more))

    async def main():
        async with AsyncClient({"hosts": hosts}) as client:
            await client.connect()
            await client.put(key, {"a": 1})
            found = await asyncio.gather(*[client.get(key) for _ in range(100)])
            assert all(record.bins == {"a": 1} for record in found)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(asyncio.sleep(10)), 0.01)
            one = asyncio.ensure_future(client.get(key))
            await asyncio.sleep(0)
            one.cancel("why")
            with pytest.raises(asyncio.CancelledError):
                await one

    loop.run_until_complete(main())
    loop.close()
