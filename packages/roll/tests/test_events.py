"""Listening, sending, and the arguments of listeners."""

import asyncio
import gc
import re
import warnings
from functools import lru_cache, partial, update_wrapper, wraps
from operator import attrgetter

import pytest

from roll import RollWarning
from roll.advice import described
from roll.events import ARGUMENTS, Done

# What tests of arguments return is what they were called with.
pytestmark = pytest.mark.filterwarnings("ignore:.* a listener of:roll.RollWarning")


async def test_listeners_run_in_order_until_one_says_something(app):
    seen = []

    @app.listen("order")
    async def first():
        seen.append("first")

    @app.listen("order")
    def second():
        seen.append("second")
        return "enough"

    @app.listen("order")
    async def third():
        seen.append("third")

    assert await app.hook("order") == "enough"
    assert seen == ["first", "second"]


def test_listen_gives_the_function_back(app):
    def listener():
        """Do nothing."""

    assert app.listen("event")(listener) is listener
    assert app.hooks == {"event": [listener]}


async def test_event_without_listeners_returns_none(app):
    assert await app.hook("silence") is None


@pytest.mark.parametrize("falsy", [None, False, 0, ""])
async def test_a_falsy_result_stops_nothing(app, falsy):
    async def listener():
        return falsy

    app.listen("event")(lambda: falsy)
    app.listen("event")(listener)
    app.listen("event")(lambda: "last")
    assert await app.hook("event") == "last"


async def test_an_async_result_stops_the_chain(app):
    async def listener():
        return "mine"

    app.listen("event")(listener)
    app.listen("event")(pytest.fail)
    assert await app.hook("event") == "mine"


async def test_a_function_may_return_something_to_await(app):
    async def work(result):
        return result

    app.listen("event")(lambda: work(None))
    app.listen("event")(lambda: work("mine"))
    app.listen("event")(pytest.fail)
    assert await app.hook("event") == "mine"
    app.hooks["event"].pop(0)
    assert await app.hook("event") == "mine"


def test_plain_listeners_run_without_an_await(app):
    seen = []

    @app.listen("new_connection")
    def listener(connection):
        seen.append(connection)

    app.hook("new_connection", connection="c")
    assert seen == ["c"]


def test_without_an_await_listeners_before_the_first_async_one_run_and_python_warns(app):
    seen = []
    app.listen("event")(lambda: seen.append("plain"))

    @app.listen("event")
    async def listener():
        seen.append("async")

    with pytest.warns(RuntimeWarning, match="'Roll.hook' was never awaited"):
        app.hook("event")
    assert seen == ["plain"]


def test_without_async_listeners_the_missing_await_warns_of_nothing(app):
    app.listen("event")(lambda: "result")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app.hook("event")
        app.hook("nobody listens")
        gc.collect()


async def test_result_of_hook_can_be_made_a_task(app):
    app.listen("plain")(lambda: "plain")

    @app.listen("async")
    async def listener():
        await asyncio.sleep(0)
        return "async"

    assert await asyncio.create_task(app.hook("plain")) == "plain"
    assert await asyncio.create_task(app.hook("async")) == "async"
    assert await asyncio.gather(app.hook("plain"), app.hook("nobody")) == ["plain", None]


def test_an_ended_hook_can_be_closed_and_thrown_into():
    done = Done("result")
    done.close()
    with pytest.raises(StopIteration):
        done.send(None)
    assert list(iter(done)) == []
    with pytest.raises(ValueError, match="thrown"):
        done.throw(ValueError("thrown"))


async def test_any_argument_goes_through_a_name_among_them_too(app):
    seen = []
    app.listen("event")(lambda *args, **kwargs: seen.append((args, kwargs)))
    await app.hook("event", 1, name="a name", self="me")
    assert seen == [((1,), {"name": "a name", "self": "me"})]


async def test_exception_of_a_listener_reaches_the_sender_of_the_event(app):
    @app.listen("event")
    def listener():
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await app.hook("event")


async def test_change_of_the_public_hooks_takes_effect(app):
    app.listen("event")(lambda: "old")
    assert await app.hook("event") == "old"
    app.hooks["event"].insert(0, lambda: "new")
    assert await app.hook("event") == "new"
    app.hooks["event"].clear()
    assert await app.hook("event") is None


def functions():
    async def in_order(request, response, error):
        return request, response, error

    async def turned(error, response, request):
        return request, response, error

    def by_position(one, two, three):
        return one, two, three

    def mixed(error, one, two):
        return one, two, error

    def keyword(one, *, error, response):
        return one, response, error

    def with_more(response, *rest):
        return rest[0], response, rest[1]

    def with_default(more="default", response=None, error=None, *, request):
        assert more == "default"
        return request, response, error

    def with_default_and_more(response, error, request, more="default", *rest):
        assert (more, rest) == ("default", ())
        return request, response, error

    def with_options(response, request, error, *, verbose=False, **more):
        return request, response, error

    return [
        *(in_order, turned, by_position, mixed, keyword, with_more, with_default),
        *(with_default_and_more, with_options),
    ]


def objects():
    class Listener:
        def method(self, response, request, error):
            return request, response, error

        async def __call__(self, error, request, response):
            return request, response, error

    partially = partial(lambda level, error, request, response: (request, response, error), 1)
    return [Listener().method, Listener(), partially]


@pytest.mark.parametrize("listener", [*functions(), *objects()])
async def test_listeners_of_built_in_events_get_the_arguments_they_name(app, listener):
    app.listen("error")(listener)
    assert await app.hook("error", "request", "response", "error") == (
        "request",
        "response",
        "error",
    )


def passing_on(listener):
    """Decorate as most do: whatever comes is passed on."""

    @wraps(listener)
    def wrapper(*args, **kwargs):
        return listener(*args, **kwargs)

    return wrapper


def naming(listener):
    """Decorate with another signature."""

    @wraps(listener)
    async def wrapper(request, response, error):
        return await listener(request, response, error)

    return wrapper


class Decorated:
    """Decorate with an object."""

    def __init__(self, listener):
        update_wrapper(self, listener)

    def __call__(self, *args, **kwargs):
        return self.__wrapped__(*args, **kwargs)


async def turned(error, response, request):
    return request, response, error


async def renamed(response, request, error):
    return response, request, error


class Decorating:
    """A class with a decorated method."""

    @passing_on
    def method(self, response, request, error):
        return request, response, error


@pytest.mark.parametrize(
    "listener",
    [
        *(passing_on(turned), Decorated(turned), Decorating().method),
        *(naming(renamed), passing_on(naming(renamed))),
    ],
    ids=["function", "object", "method", "signature of its own", "such a one passed on to"],
)
async def test_decorated_listener_gets_the_arguments_that_the_called_function_names(app, listener):
    app.listen("error")(listener)
    given = ("request", "response", "error")
    assert await app.hook("error", *given) == given


async def test_a_listener_may_name_only_what_it_needs(app):
    app.listen("error")(lambda error: error)
    assert await app.hook("error", "request", "response", "error") == "error"


async def test_default_of_a_listener_s_parameter_is_kept(app):
    for word in ("one", "two"):
        app.listen("request")(lambda request, word=word: word if word == request else None)
    assert await app.hook("request", "two", "response") == "two"


def test_listener_with_an_unreadable_signature_is_accepted(app):
    class Unreadable:
        __signature__ = "none"

        def __call__(self, request): ...

    app.listen("request")(Unreadable())


class Listens:
    def __call__(self): ...

    def method(self, one): ...


class Constructed:
    def __init__(self, request, response): ...


@pytest.mark.parametrize(
    ("event", "listener", "called"),
    [
        ("request", lambda one: one, "request, response"),
        ("request", lambda: None, "request, response"),
        ("headers", lambda one, two, three: None, "request, response"),
        ("response", lambda request, response, error: None, "request, response"),
        ("error", lambda one, two, three, four: None, "request, response, error"),
        ("error", Listens().method, "request, response, error"),
        ("startup", lambda app: None, ""),
        ("shutdown", lambda app, loop: None, ""),
        ("shutdown", Listens().method, ""),
        ("websocket_connect", Listens(), "request, ws"),
        ("websocket_error", lambda ws, *, more: None, "request, ws, error"),
        ("route:add", lambda: None, "path, view"),
        ("error", [].append, "request, response, error"),
        ("startup", len, ""),
        ("startup", {}.get, ""),
        ("room_gap", isinstance, "room"),
        ("startup", partial(len), ""),
        ("request", Listens, "request, response"),
        ("startup", Constructed, ""),
        ("request", list, "request, response"),
        ("request", staticmethod(lambda: None), "request, response"),
        ("error", lru_cache(lambda one: None), "request, response, error"),
    ],
    ids=map(str, range(22)),
)
def test_a_listener_that_does_not_take_its_arguments_is_refused(app, event, listener, called):
    with pytest.raises(ValueError, match=rf"but Roll calls listeners of '{event}' with") as caught:
        app.listen(event)(listener)
    text = str(caught.value)
    assert text.startswith(f"{described(listener)} takes (")
    assert f" with ({called}): " in text
    assert text.endswith(f". Write its parameters as ({called})")
    assert app.hooks == {}


@pytest.mark.parametrize("event", ["request", "startup", "route:add", "room_gap", "error"])
@pytest.mark.parametrize("listener", [int, str, dict, type, partial(int), partial(str, b"a")])
def test_builtin_class_is_refused_as_listener_of_built_in_event(app, event, listener):
    with pytest.raises(ValueError, match=f"A listener of '{event}' is a function: <class '"):
        app.listen(event)(listener)
    assert app.hooks == {}


@pytest.mark.parametrize(
    "wrapper", [staticmethod, lru_cache, lambda each: partial(staticmethod(each))]
)
def test_wrapped_generator_is_refused_as_listener(app, wrapper):
    def generator(request):
        yield

    with pytest.raises(
        ValueError, match="is a generator, so it cannot be a listener of 'request'"
    ):
        app.listen("request")(wrapper(generator))


@pytest.mark.parametrize(
    ("event", "listener"),
    [
        ("request", lambda request: None),
        ("request", lambda response: None),
        ("request", lambda *args: None),
        ("request", lambda **names: None),
        ("request", lambda one, two, three=3: None),
        ("request", lambda *, response: None),
        ("error", lambda error: None),
        ("error", lambda one, error: None),
        ("room_gap", [].append),
        ("request", print),
        ("startup", partial(print, 1)),
        ("error", max),
        ("request", attrgetter("a")),
        ("new", int),
        ("request", Constructed),
        ("startup", staticmethod(lambda: None)),
        ("request", lru_cache(lambda response: None)),
        ("startup", lambda app=None: None),
        ("startup", partial(lambda app: None, 1)),
        ("route:add", lambda path, view, *, shelf: None),
        ("route:add", lambda view: None),
        ("new", lambda one, two, three: None),
    ],
    ids=map(str, range(22)),
)
def test_a_listener_may_take_its_arguments_in_any_way(app, event, listener):
    app.listen(event)(listener)


@pytest.mark.parametrize(
    ("event", "listener", "told"),
    [
        ("request", lambda resp, req: None, "resp, req"),
        ("headers", lambda resp, other: None, "resp, other"),
        ("error", lambda err, req, resp: None, "err, req, resp"),
        ("websocket_connect", lambda websocket, req: None, "websocket, req"),
    ],
    ids=map(str, range(4)),
)
def test_parameters_with_the_names_of_other_arguments_cause_a_warning(app, event, listener, told):
    with pytest.warns(RollWarning, match=re.escape(f"takes ({told}), but Roll")) as caught:
        app.listen(event)(listener)
    (warning,) = caught
    called = ARGUMENTS[event][: told.count(",") + 1]
    assert str(warning.message) == (
        f"{described(listener)} takes ({told}), but Roll calls it with ({', '.join(called)}):"
        f" write {' and '.join(f'`{name}`' for name in called)}, because these arguments are"
        f" passed by name"
    )
    assert warning.filename == __file__


@pytest.mark.parametrize(
    "listener",
    [
        lambda response, req: None,
        lambda response, request: None,
        lambda req, resp: None,
    ],
    ids=map(str, range(3)),
)
async def test_parameters_that_get_the_arguments_they_name_cause_no_warning(app, listener):
    app.listen("request")(listener)
    await app.hook("request", "request", "response")


async def test_a_builtin_without_a_signature_is_called_by_position(app):
    app.listen("request")(max)
    assert await app.hook("request", "request", "response") == "response"


async def test_a_built_in_event_sent_by_hand_takes_other_arguments(app):
    app.listen("request")(lambda response, request=None: (request, response))
    assert await app.hook("request", "one") == (None, "one")
    assert await app.hook("request", request=1, response=2) == (1, 2)


async def test_arguments_of_other_events_go_by_position(app):
    app.listen("mine")(lambda response, request: (response, request))
    assert await app.hook("mine", "first", "second") == ("first", "second")


@pytest.mark.parametrize("name", ["headers", "request"])
async def test_a_coroutine_that_a_listener_returns_is_not_true(app, client, name):
    async def check():
        return False

    @app.route("/")
    async def view(request, response): ...

    @app.listen(name)
    async def forgot(request, response):
        return check()

    assert (await client.get("/")).status == 500


async def test_error_of_a_listener_that_returns_a_coroutine_says_to_await(app, client, caplog):
    async def check(): ...

    @app.listen("request")
    async def authenticate(request):
        return check()

    app.route("/")(lambda request, response: None)
    assert (await client.get("/")).status == 500
    name = f"{check.__qualname__}()"
    assert (
        f"{described(authenticate)}, a listener of 'request', returned a coroutine, {name},"
        f" which never started: `await` it first"
    ) in caplog.text


@pytest.mark.parametrize("arguments", [(), ("one",), ("one", "two", "three")])
async def test_application_may_send_a_built_in_event_with_other_arguments(app, arguments):
    seen = []

    @app.listen("request")
    def listener(request=None, *others):
        seen.append((request, *others))

    await app.hook("request", *arguments)
    assert seen == [arguments or (None,)]


@pytest.mark.parametrize("more", [{}, {"more": 1}])
async def test_listener_of_one_argument_gets_it_and_keywords(app, more):
    seen = []

    @app.listen("request")
    def listener(response, *, more=None):
        seen.append((response, more))

    app.hook("request", "asked", "answered", **more)
    assert seen == [("answered", more.get("more"))]


async def test_listener_of_one_argument_gets_other_arguments_that_an_application_sends(app):
    seen = []
    app.listen("request")(lambda response: seen.append(response))  # noqa: PLW0108 - it is to be plain
    app.hook("request", "alone")
    assert seen == ["alone"]
