"""Paths of routes: what is no path, what is written as elsewhere, and how groups join them."""

import re
import warnings

import pytest

from roll import Roll, RollWarning, Routes
from roll.paths import TYPES, literal
from roll_routing import Converter


def ok(request, response, **placeholders):
    response.body = "ok"


def told(app, path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        app.route(path)(ok)
    assert {(each.category, each.filename) for each in caught} <= {(RollWarning, __file__)}
    return [str(each.message) for each in caught]


@pytest.mark.parametrize("owner", ["app", "group"])
def test_route_without_a_call_is_told(app, owner):
    target = app if owner == "app" else app.group("/api")
    with pytest.raises(
        ValueError, match=r"needs a path: write `@app\.route\('/path'\)` before <fun"
    ):

        @target.route
        def view(request, response): ...


def test_group_without_a_prefix_is_told(app):
    with pytest.raises(ValueError, match=r"write `@app\.group\('/path'\)`"):
        app.group(ok)


@pytest.mark.parametrize("path", ["x", "", "x/y", "<id>", "https://a.org/", " /x"])
def test_a_path_without_a_slash_is_told(app, path):
    text = f"The path {path!r} does not begin with a '/': write {'/' + path!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        app.route(path)


@pytest.mark.parametrize("path", [None, 1, b"/x", ["/x"]])
def test_what_is_no_text_is_no_path(app, path):
    with pytest.raises(ValueError, match="A path is text, such as '/path', not "):
        app.route(path)


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/x/<id>", "/x/{id}"),
        ("/x/<int:id>", "/x/{id:int}"),
        ("/x/<uuid:id>/<path:rest>", "/x/{id:uuid}/{rest:path}"),
        ("/x/<slug:name>", "/x/{name}"),
        ("/x/<int(min=1):id>.json", "/x/{id:int}.json"),
        ("/<a>-<b>/{c}", "/{a}-{b}/{c}"),
        (r"/x/(?P<id>\d+)/", r"/x/{id:\d+}/"),
        (r"/x/(?P<id>[0-9]+)", "/x/{id:[0-9]+}"),
    ],
)
def test_placeholders_of_others_are_told_with_the_right_spelling(app, path, right):
    text = f"The path {path!r} has a placeholder in '<>': write {right!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        app.route(path)(ok)
    app.route(right)(ok)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "/x/:id",
            "The ':' in the path '/x/:id' is plain text: a placeholder is written '/x/{id}'",
        ),
        (
            "/:a/:b.json",
            "The ':' in the path '/:a/:b.json' is plain text: a placeholder is written"
            " '/{a}/{b}.json'",
        ),
        (
            "/x/*",
            "The '*' in the path '/x/*' is plain text: to match any text, write '/x/{rest:path}'",
        ),
        (
            "/x/*file",
            "The '*' in the path '/x/*file' is plain text: to match any text, write"
            " '/x/{file:path}'",
        ),
        (
            "/caf%C3%A9",
            "The path '/caf%C3%A9' is compared with decoded paths: write '/café'",
        ),
        (
            "/x?page={page}",
            "The path '/x?page={page}' will match no query and no fragment: end it before, and"
            " read `request.query`",
        ),
        (
            "/x#top",
            "The path '/x#top' will match no query and no fragment: end it before, and read"
            " `request.query`",
        ),
    ],
)
def test_legal_text_that_means_something_elsewhere_is_told(app, path, text):
    assert told(app, path) == [text]
    assert app.routes.match(path.replace("{page}", "1"))[0] is not None


@pytest.mark.parametrize(
    ("placeholder", "word", "right"),
    [
        ("{id:integer}", "integer", "{id:int}"),
        ("{id:Int}", "Int", "{id:int}"),
        ("{id:str}", "str", "{id:string}"),
        ("{id:digits}", "digits", "{id:digit}"),
        ("{id:alphas}", "alphas", "{id:alpha}"),
        ("{id:UUID}", "UUID", "{id:uuid}"),
        ("{id:floats}", "floats", "{id:float}"),
        ("{int:id}", "id", "{id:int}"),
    ],
)
def test_a_word_that_resembles_a_type_is_told_and_works(app, placeholder, word, right):
    path = f"/x/{placeholder}"
    assert told(app, path) == [
        f"In the path {path!r}, {word!r} is no type: it is a regular expression, which matches"
        f" {word!r} and nothing else. Write '{right}'"
    ]
    assert app.routes.match(f"/x/{word}")[0] is not None


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "*",
        "{rest:path}",
        "/{rest:any}",
        "/a:b",
        "/a/{x:int}:undo",
        "/a*b",
        "/100%",
        "/{lang:en|fr}",
        "/{lang:en}",
        r"/{x:(?P<y>a)<b>\{<c>\}}",
        r"/{x:a?#:*}",
        r"/{x:\d{4}}/{y:\}<z>}",
        *[f"/{{x:{kind}}}" for kind in TYPES],
    ],
)
def test_paths_as_they_should_be_are_not_told(app, path):
    assert told(app, path) == []


def test_types_of_ones_own_are_known():
    mine = type("Mine", (Routes,), {"converters": {"integer": Converter(r"\d+", int)}})
    app = type("App", (Roll,), {"Routes": mine})()
    assert told(app, "/{id:integer}") == []


def test_the_text_of_a_path_is_what_stands_outside_of_braces():
    assert literal(r"/a/{b:\d{4}}/c{d}.{e:\\}\}") == r"/a/{}/c{}.{}\}"
    assert literal(r"/{a:\{\}}b") == "/{}b"
    assert literal("/a}b") == "/a}b"


# Groups.


@pytest.mark.parametrize(
    ("prefix", "path", "whole"),
    [
        ("/api", "/x", "/api/x"),
        ("/api/", "/x", "/api/x"),
        ("/api/", "x", "/api/x"),
        ("/api", "", "/api"),
        ("/api/", "", "/api/"),
        ("/api", "/", "/api/"),
        ("/api/", "/", "/api/"),
        ("/", "/x", "/x"),
        ("/", "", "/"),
        ("", "/x", "/x"),
        ("", "{x:path}", "{x:path}"),
        ("/{lang}", "/{page}", "/{lang}/{page}"),
    ],
)
def test_a_group_joins_with_one_slash(app, prefix, path, whole):
    group = app.group(prefix)
    group.route(path)(ok)
    group.group(path).route("/nested" if path != "/" else "nested")(ok)
    first, second = (route.path for route in app.routes)
    assert first == whole
    assert second == f"{whole.removesuffix('/')}/nested"


@pytest.mark.parametrize("path", ["x", "{x}", ".json"])
@pytest.mark.parametrize("what", ["route", "group"])
def test_a_slash_that_is_missing_in_a_group_is_told(app, path, what):
    group = app.group("/api")
    text = f"The path {path!r} in the group '/api' does not begin with a '/': write {'/' + path!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        getattr(group, what)(path)


def test_a_prefix_begins_with_a_slash(app):
    with pytest.raises(ValueError, match="The path 'api' does not begin with a '/': write '/api'"):
        app.group("api")


def test_an_empty_path_in_an_empty_group_is_told(app):
    with pytest.raises(ValueError, match="The path '' does not begin with a '/'"):
        app.group("").route("")
