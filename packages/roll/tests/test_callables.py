"""Hooks never take a coroutine for a result: they await async callables, or refuse them."""

import asyncio
import functools
import types

import pytest

from roll import Files, Form, HttpError, Multipart, Roll
from roll.callables import is_async, is_generator
from roll.extensions import cors
from roll.observe import report_exchanges
from roll.part_checks import CALLED


def async_forms(function):
    """Give a coroutine function in every form in which a callable may be async."""

    class Callable:
        async def __call__(self, *args, **kwargs):
            return await function(*args, **kwargs)

        async def method(self, *args, **kwargs):
            return await function(*args, **kwargs)

    return {
        "function": function,
        "object": Callable(),
        "method": Callable().method,
        "partial": functools.partial(function),
        "partial of a partial": functools.partial(functools.partial(Callable().method)),
        "partial of an object": functools.partial(Callable()),
    }


def hidden_forms(function):
    """Give the forms that look like a plain function until they are called."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    @types.coroutine
    def old_style(*args, **kwargs):
        return (yield from function(*args, **kwargs))

    def task(*args, **kwargs):
        return asyncio.ensure_future(function(*args, **kwargs))

    return {
        "lambda": lambda *args, **kwargs: function(*args, **kwargs),  # noqa: PLW0108 - hides it
        "wrapper": wrapper,
        "old style": old_style,
        "task": task,
    }


async def nothing(*args, **kwargs):
    """Give nothing."""


async def generated(*args):
    yield True


def iterated(*args):
    yield True


class Generator:
    """A callable object that is a generator."""

    def __call__(self, *args):
        yield True


FORMS = list(async_forms(nothing))
HIDDEN = list(hidden_forms(nothing))
GENERATORS = [generated, iterated, Generator(), functools.partial(generated)]
HIDDEN_GENERATORS = [
    pytest.param(lambda *_: generated(), id="async"),
    pytest.param(lambda *_: iterated(), id="plain"),
]


@pytest.mark.parametrize("form", FORMS)
def test_an_async_callable_is_known_in_every_form(form):
    call = async_forms(nothing)[form]
    assert is_async(call)
    assert not is_generator(call)


@pytest.mark.parametrize("call", [print, dict, "".join, Roll, functools.partial(print), iterated])
def test_a_plain_callable_is_not_async(call):
    assert not is_async(call)


@pytest.mark.parametrize("call", GENERATORS)
def test_a_generator_is_known_in_every_form(call):
    assert is_generator(call)


@pytest.fixture
def allowed(app, client):
    """Register a page, and tell whether an origin may read it."""
    app.route("/")(lambda request, response: None)

    async def allowed(origin):
        response = await client.get("/", headers={"Origin": origin})
        assert response.status == 200
        assert response.headers["Vary"] == "Origin"
        return response.headers.get("Access-Control-Allow-Origin") == origin

    return allowed


@pytest.mark.parametrize("form", [*FORMS, *HIDDEN])
async def test_an_async_predicate_of_origins_is_awaited(app, allowed, form):
    async def is_ours(origin):
        await asyncio.sleep(0)
        return origin == "https://ours.org"

    forms = async_forms(is_ours) | hidden_forms(is_ours)
    cors(app, origin=forms[form], credentials=True)
    assert await allowed("https://ours.org")
    assert not await allowed("https://theirs.org")


async def test_a_predicate_of_origins_that_fails_allows_none(app, client):
    async def fail(origin):
        raise HttpError(503, "no database")

    cors(app, origin=fail, credentials=True)
    response = await client.get("/", headers={"Origin": "https://theirs.org"})
    assert (response.status, response.body) == (503, b"no database")
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("predicate", GENERATORS)
def test_generator_is_refused_as_an_origin_predicate(app, predicate):
    with pytest.raises(ValueError, match="generator"):
        cors(app, origin=predicate)


@pytest.mark.parametrize("predicate", HIDDEN_GENERATORS)
async def test_a_predicate_that_gives_a_generator_allows_none(app, client, predicate):
    cors(app, origin=predicate)
    response = await client.get("/", headers={"Origin": "https://theirs.org"})
    assert response.status == 500
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("event", ["headers", "request", "response", "error", "startup"])
@pytest.mark.parametrize("listener", GENERATORS)
def test_generator_is_refused_as_a_listener_of_a_built_in_event(app, event, listener):
    with pytest.raises(ValueError, match="generator"):
        app.listen(event)(listener)
    assert app.hooks == {}


@pytest.mark.parametrize("event", ["headers", "request"])
@pytest.mark.parametrize("listener", HIDDEN_GENERATORS)
@pytest.mark.parametrize("first", [None, nothing], ids=["alone", "after an async one"])
async def test_a_generator_that_a_listener_gives_answers_nothing(
    app, client, event, listener, first
):
    app.route("/")(lambda request, response: None)
    app.hooks[event] = [call for call in (first, listener) if call]
    assert (await client.get("/")).status == 500


async def test_generator_may_be_the_result_of_a_custom_event(app):
    app.listen("items")(generated)
    assert [item async for item in await app.hook("items")] == [True]


@pytest.mark.parametrize("form", [*FORMS, *HIDDEN])
@pytest.mark.parametrize("event", ["headers", "request"])
async def test_a_listener_is_awaited_in_every_form(app, client, event, form):
    """Its coroutine is true, its result is not: the handler runs."""

    @app.route("/")
    def handler(request, response):
        response.body = "handler"

    app.listen(event)((async_forms(nothing) | hidden_forms(nothing))[form])
    assert (await client.get("/")).body == b"handler"


@pytest.mark.parametrize("form", FORMS)
def test_an_async_listener_of_registering_is_refused_at_once(app, form):
    with pytest.raises(ValueError, match="'route:add' is never awaited"):
        app.listen("route:add")(async_forms(nothing)[form])


@pytest.mark.parametrize("form", [*FORMS, *HIDDEN])
async def test_an_async_listener_of_registering_refuses_the_route(app, form):
    app.hooks["route:add"] = [(async_forms(nothing) | hidden_forms(nothing))[form]]
    with pytest.raises(TypeError, match="'route:add' is never awaited"):
        app.route("/")(print)
    assert app.routes.match("/") == (None, None)


def test_a_true_listener_of_registering_ends_the_chain(app):
    app.listen("route:add")(lambda *_, **__: True)
    app.listen("route:add")(lambda *_, **__: pytest.fail("the chain has ended"))
    app.route("/")(print)


@pytest.mark.parametrize("form", [*FORMS, *HIDDEN])
async def test_lookup_may_be_async(client, app, form):
    async def lookup(request):
        await asyncio.sleep(0)
        Roll.lookup(app, request)

    app.lookup = (async_forms(lookup) | hidden_forms(lookup))[form]

    @app.route("/{name}")
    def handler(request, response, name):
        response.body = name

    assert (await client.get("/a")).body == b"a"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "part",
    CALLED,
)
def test_an_async_part_is_refused_at_once(part, form):
    made = type("Mine", (Roll,), {part: staticmethod(async_forms(nothing)[form])})
    with pytest.raises(ValueError, match=rf"Mine\.{part} is never awaited"):
        made()


@pytest.mark.parametrize("name", ["form", "files"])
@pytest.mark.parametrize("form", FORMS)
def test_an_async_class_of_a_multipart_is_refused_at_once(name, form):
    with pytest.raises(ValueError, match=f"`{name}` of a Multipart"):
        Multipart(**{name: async_forms(nothing)[form]})


@pytest.mark.parametrize("name", ["form", "files"])
@pytest.mark.parametrize("value", [3, None, "text", [], {}], ids=repr)
def test_class_of_a_multipart_that_cannot_be_called_is_refused_at_once(name, value):
    with pytest.raises(TypeError, match=f"{name} must be callable"):
        Multipart(**{name: value})


@pytest.mark.parametrize(
    ("name", "make"), [("form", lambda: Form({})), ("files", lambda values: Files())]
)
def test_class_of_a_multipart_that_takes_other_arguments_is_refused_at_once(name, make):
    with pytest.raises(ValueError, match=rf"`{name}` of a Multipart is called with \("):
        Multipart(**{name: make})


@pytest.mark.parametrize("form", FORMS)
def test_an_async_report_is_refused_at_once(app, form):
    with pytest.raises(ValueError, match="report"):
        report_exchanges(app, async_forms(nothing)[form])


class Static:
    """An object whose `__call__` has no parameter `self`."""

    @staticmethod
    async def __call__(request, response):
        response.body = "static"


class Classed:
    @classmethod
    def __call__(cls, request, response):
        response.body = "classed"


@pytest.mark.parametrize("kind", [Static, Classed])
async def test_a_static_call_is_called_with_its_own_parameters(app, client, kind):
    app.route("/")(kind())
    assert (await client.get("/")).body == kind.__name__.lower().encode()
    app.listen("request")(kind())
    assert (await client.get("/")).body == kind.__name__.lower().encode()


def test_predicate_with_a_static_call_is_accepted(app):
    cors(app, origin=type("Predicate", (), {"__call__": staticmethod(lambda origin: True)})())
    with pytest.raises(ValueError, match="missing a required argument: 'more'"):
        cors(app, origin=type("P", (), {"__call__": staticmethod(lambda origin, more: True)})())
