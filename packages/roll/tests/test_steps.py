"""Waiting for the items of an iterator with interruptions, compared with a task."""

import asyncio
import contextvars
from types import coroutine

import pytest

from roll.steps import Steps

variable = contextvars.ContextVar("variable", default="outside")


class Waiting:
    """Runs steps in its own task."""

    def __init__(self, items):
        self.steps = Steps(items)
        self.results = []
        self.task = asyncio.ensure_future(self.run())

    @coroutine
    def _run(self):
        return (yield from self.steps.run())

    async def run(self):
        variable.set("inside")
        while await self._run():
            self.results.append(self.steps.item)
        return self.results

    async def begin(self):
        """Wait until the iterator waits."""
        while self.steps._on_done is None:
            await asyncio.sleep(0)


async def test_items_come_as_by_async_for():
    async def items():
        yield 1
        await asyncio.sleep(0)
        yield 2
        await asyncio.sleep(0.001)
        assert variable.get() == "inside"
        yield 3

    waiting = Waiting(items())
    with pytest.raises(StopAsyncIteration):
        await waiting.task
    assert waiting.results == [1, 2, 3]


async def test_any_awaitable_may_be_a_step():
    class Items:
        def __aiter__(self):
            return self

        def __anext__(self):
            future = asyncio.get_running_loop().create_future()
            future.set_result("a")
            return future

    steps = Steps(Items())
    assert await_now(steps)
    assert steps.item == "a"


def await_now(steps):
    """Run steps that have nothing to wait for."""
    with pytest.raises(StopIteration) as ended:
        steps.run().send(None)
    return ended.value.value


async def test_the_task_may_leave_and_come_back():
    future = asyncio.get_running_loop().create_future()

    async def items():
        yield await future

    waiting = Waiting(items())
    for _ in range(3):
        await waiting.begin()
        waiting.steps.leave()
        assert await waiting.task == []
        assert waiting.steps.begun
        waiting.task = asyncio.ensure_future(waiting.run())
    await waiting.begin()
    future.set_result("whole")
    with pytest.raises(StopAsyncIteration):
        await waiting.task
    assert waiting.results == ["whole"]


async def test_item_that_arrived_without_a_waiting_task_is_returned():
    future = asyncio.get_running_loop().create_future()

    async def items():
        yield await future

    waiting = Waiting(items())
    await waiting.begin()
    waiting.steps.leave()
    await waiting.task
    waiting.steps.leave()  # nobody to be woken
    future.set_result("meanwhile")
    waiting.task = asyncio.ensure_future(waiting.run())
    with pytest.raises(StopAsyncIteration):
        await waiting.task
    assert waiting.results == ["meanwhile"]


async def stubborn(event):
    """A task that takes its time to be cancelled."""
    try:
        await event.wait()
    except asyncio.CancelledError:
        for _ in range(3):
            await asyncio.sleep(0)
        raise


@pytest.mark.parametrize("kind", ["future", "task", "turns"])
@pytest.mark.parametrize("how", ["task", "steps", "steps, left before"])
async def test_a_cancellation_reaches_the_iterator(kind, how):
    told, event = [], asyncio.Event()

    async def items():
        try:
            if kind == "turns":
                while True:
                    await asyncio.sleep(0)
            await (asyncio.ensure_future(stubborn(event)) if kind == "task" else event.wait())
        except asyncio.CancelledError:
            told.append("cancelled")
            raise
        yield

    waiting = Waiting(items())
    if kind == "turns":
        await asyncio.sleep(0)
    else:
        await waiting.begin()
        if how.endswith("before"):
            waiting.steps.leave()
            await waiting.task
            waiting.steps.interrupt()
            waiting.task = asyncio.ensure_future(waiting.run())
    if how == "task":
        waiting.task.cancel()
    elif not waiting.task.done():
        waiting.steps.interrupt()
    with pytest.raises(asyncio.CancelledError):
        await waiting.task
    assert told == ["cancelled"]
    assert not waiting.steps.begun


async def test_cancellation_together_with_the_result_wins_as_in_a_task():
    future = asyncio.get_running_loop().create_future()

    async def items():
        yield await future

    waiting = Waiting(items())
    await waiting.begin()
    future.set_result("late")
    waiting.steps.interrupt()
    with pytest.raises(asyncio.CancelledError):
        await waiting.task


async def test_a_task_that_is_cancelled_when_the_result_is_there_is_cancelled():
    future = asyncio.get_running_loop().create_future()
    told = []

    async def items():
        try:
            yield await future
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    waiting = Waiting(items())
    await waiting.begin()
    future.set_result("late")
    waiting.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting.task
    assert told == ["cancelled"]
    assert waiting.results == []


def test_a_coroutine_that_is_closed_closes_the_iterator():
    told = []

    class Forever:
        _asyncio_future_blocking = True

        def __await__(self):
            yield self

        def done(self):
            return False

    async def items():
        try:
            await Forever()
        finally:
            told.append("closed")
        yield

    running = Steps(items()).run()
    next(running)
    running.close()
    assert told == ["closed"]


async def test_timeouts_and_groups_work_within_the_iterator():
    async def items():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(0, "grouped"))
        yield task.result()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.001)
        yield "last"

    waiting = Waiting(items())
    with pytest.raises(StopAsyncIteration):
        await waiting.task
    assert waiting.results == ["grouped", "last"]


async def test_the_end_of_a_step_is_awaited():
    told = []

    async def items():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            told.append("cleaned up")
        yield

    waiting = Waiting(items())
    await waiting.begin()
    waiting.steps.leave()
    await waiting.task
    with pytest.raises(asyncio.CancelledError):
        await waiting.steps.end()
    assert told == ["cleaned up"]
    await waiting.steps.end()  # there is none


async def test_value_that_a_task_cannot_await_is_an_error_in_the_iterator():
    class Odd:
        def __await__(self):
            yield "odd"

    async def items():
        with pytest.raises(RuntimeError, match="bad yield"):
            await Odd()
        yield "went on"

    waiting = Waiting(items())
    with pytest.raises(StopAsyncIteration):
        await waiting.task
    assert waiting.results == ["went on"]
