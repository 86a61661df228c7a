"""Tasks that start at once behave like any other task."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar, copy_context

import pytest

from roll_http.connection.eager_tasks import start_by_hand

name: ContextVar[str] = ContextVar("name", default="nobody")


@pytest.fixture
def start():
    """`await start(work)`: the task of a coroutine, begun in a callback as a transport does.

    `then` is called with it right after its first step.
    """

    async def start(work, then=lambda task: None):
        loop = asyncio.get_running_loop()
        begun = loop.create_future()

        def begin():
            task = start_by_hand(work, loop, copy_context())
            then(task)
            begun.set_result(task)

        loop.call_soon(begin)
        return await begun

    return start


async def test_work_that_never_waits_is_done_in_its_first_step(start):
    seen = []

    async def work():
        name.set("it")
        seen.append(name.get())

    loop = asyncio.get_running_loop()

    def begin():
        start_by_hand(work(), loop, copy_context())
        seen.append(name.get())

    loop.call_soon(begin)
    await asyncio.sleep(0)
    assert seen == ["it", "nobody"]


@pytest.mark.parametrize("look", [repr, asyncio.Task.done, lambda task: task.get_name()])
async def test_a_task_that_never_waited_is_done(start, look):
    async def work():
        pass

    task = await start(work())
    look(task)
    assert await task is None
    assert task.done()
    assert "work" in repr(task)


async def test_the_task_is_current_in_all_its_steps(start):
    seen = []
    gate = asyncio.get_running_loop().create_future()

    async def work():
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())
        await gate
        seen.append(asyncio.current_task())

    task = await start(work())
    assert task in asyncio.all_tasks()
    gate.set_result(None)
    await task
    assert seen == [task] * 3
    assert isinstance(task, asyncio.Task)


async def test_the_context_stays_from_step_to_step(start):
    seen = []

    async def work():
        name.set("it")
        await asyncio.sleep(0)
        seen.append(name.get())

    await (await start(work()))
    assert seen == ["it"]
    assert name.get() == "nobody"


async def test_timeouts_and_groups_work_from_the_first_step_on(start):
    seen = []

    async def child():
        seen.append("child")

    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(child())
        try:
            async with asyncio.timeout(0):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            seen.append("late")

    await (await start(work()))
    assert seen == ["child", "late"]


async def test_an_error_of_the_first_step_is_the_task_s(start):
    async def work():
        raise LookupError("first")

    with pytest.raises(LookupError, match="first"):
        await (await start(work()))


async def test_an_error_after_the_task_was_used_is_the_task_s(start):
    async def work():
        asyncio.current_task().set_name("known")
        raise LookupError("first")

    task = await start(work())
    with pytest.raises(LookupError, match="first"):
        await task
    assert task.get_name() == "known"


async def test_a_cancellation_that_ends_the_first_step_cancels_the_task(start):
    async def work():
        raise asyncio.CancelledError

    task = await start(work())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


def test_an_exception_that_ends_the_program_is_raised_at_once():
    async def work():
        raise SystemExit

    loop = asyncio.new_event_loop()
    loop.call_soon(lambda: start_by_hand(work(), loop, copy_context()))
    with pytest.raises(SystemExit):
        loop.run_forever()
    loop.close()


async def test_a_task_cancelled_in_its_first_step_is_cancelled_where_it_waits(start):
    seen = []

    async def work():
        asyncio.current_task().cancel()
        seen.append("going on")
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = await start(work())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["going on", "cancelled"]


async def test_a_task_cancelled_in_its_only_step_is_cancelled(start):
    async def work():
        asyncio.current_task().cancel()

    task = await start(work())
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("answered", [False, True])
async def test_task_cancelled_after_its_first_step_cancels_the_awaited_future(start, answered):
    waited = asyncio.get_running_loop().create_future()
    seen = []

    async def work():
        try:
            await waited
        finally:
            seen.append("cleaned up")

    def cancel(task):
        if answered:
            waited.set_result(None)
        task.cancel()

    task = await start(work(), cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert waited.cancelled() is not answered
    assert seen == ["cleaned up"]


async def test_task_can_ignore_a_later_cancellation(start):
    async def work():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()
        await asyncio.sleep(0)

    task = await start(work())
    await asyncio.sleep(0)
    task.cancel()
    assert await task is None


async def test_within_another_task_the_first_step_runs_later():
    seen = []

    async def work():
        seen.append(asyncio.current_task())

    context = copy_context()
    task = start_by_hand(work(), asyncio.get_running_loop(), context)
    assert not seen
    await task
    assert seen == [task]


async def test_its_stack_and_its_coroutine_can_be_seen(start):
    async def work():
        await asyncio.sleep(0)
        await asyncio.get_running_loop().create_future()

    task = await start(work())
    assert task.get_coro().__qualname__.endswith("work")
    assert "work" in repr(task)
    assert [frame.f_code.co_name for frame in task.get_stack()] == ["work"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_several_may_wait_for_one_future(start):
    future = asyncio.get_running_loop().create_future()

    async def work():
        return await future

    first, second = [await start(work()) for _ in range(2)]
    third = asyncio.create_task(work())
    asyncio.get_running_loop().call_soon(future.set_result, "it")
    assert await asyncio.gather(first, second, third) == ["it"] * 3


async def test_several_first_steps_in_one_turn_may_wait_for_one_future():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    tasks = []

    async def work():
        return await future

    def begin():
        tasks.extend(start_by_hand(work(), loop, copy_context()) for _ in range(3))

    loop.call_soon(begin)
    await asyncio.sleep(0)
    future.set_result("it")
    assert await asyncio.gather(*tasks) == ["it"] * 3


async def test_an_error_of_the_first_step_is_not_lost_in_a_cancellation(start):
    async def work():
        asyncio.current_task().cancel()
        raise LookupError("it")

    task = await start(work())
    with pytest.raises(LookupError, match="it"):
        await task


async def test_the_message_of_a_cancellation_is_kept(start):
    future = asyncio.get_running_loop().create_future()
    heard = []

    async def work():
        try:
            await future
        except asyncio.CancelledError as error:
            heard.append(error.args)

    await (await start(work(), then=lambda task: task.cancel("why")))
    assert heard == [("why",)]
    assert future.cancelled()


@pytest.mark.parametrize("kind", [GeneratorExit, type("Odd", (BaseException,), {})])
async def test_any_error_of_the_first_step_is_the_task_s(start, kind):
    async def work():
        raise kind

    task = await start(work())
    await asyncio.wait([task])
    assert type(task.exception()) is kind


async def test_awaiting_another_object_than_a_future_raises(start):
    class NoFuture:
        def __await__(self):
            yield "no future"

    async def work():
        await NoFuture()

    with pytest.raises(RuntimeError, match="bad yield"):
        await (await start(work()))
