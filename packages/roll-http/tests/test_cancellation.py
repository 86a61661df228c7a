"""What a `CancelledError` means, and that a task is cancelled once."""

from __future__ import annotations

import asyncio

import pytest

from roll_http.cancellation import cancel_task, ends_task, is_cancelled, is_closed


async def test_awaiting_something_cancelled_does_not_cancel_the_task():
    cancelled = asyncio.get_running_loop().create_future()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert not is_cancelled()


async def test_a_cancelled_task_is_cancelled():
    seen = []

    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append(is_cancelled())
            raise

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    cancel_task(task)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [True]


async def test_outside_of_a_task_a_cancellation_must_be_raised_again():
    loop = asyncio.get_running_loop()
    seen = loop.create_future()
    loop.call_soon(lambda: seen.set_result(is_cancelled()))
    assert await seen is True


async def test_a_task_that_cleans_up_is_not_cancelled_again():
    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    cleaned = []
    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    cancel_task(task)
    await asyncio.sleep(0)
    cancel_task(task)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [True]
    assert task.cancelling() == 1


def test_no_task_is_cancelled():
    cancel_task(None)


def test_a_coroutine_is_closed_where_no_loop_runs():
    loop = asyncio.new_event_loop()
    task = loop.create_task(asyncio.sleep(0))
    assert is_closed(task)
    assert ends_task(GeneratorExit(), task)
    loop.run_until_complete(task)
    loop.close()


async def test_a_generator_exit_of_the_running_task_is_an_error_of_the_application():
    task = asyncio.current_task()
    assert not ends_task(GeneratorExit(), task)
    assert not ends_task(GeneratorExit(), None)  # in its first step


async def test_a_generator_exit_of_an_unknown_task_ends_it():
    assert ends_task(GeneratorExit())
