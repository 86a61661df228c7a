"""Paths of routes: invalid paths, the syntax of other frameworks, and how groups join paths."""

import re
import warnings

import pytest

from roll import Roll, RollWarning, Routes
from roll.placeholders import TYPES, pieces
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
def test_route_without_a_call_is_an_error(app, owner):
    target = app if owner == "app" else app.group("/api")
    with pytest.raises(
        ValueError, match=rf"needs a path: write `@{owner}\.route\('/path'\)` before <fun"
    ):

        @target.route
        def view(request, response): ...


@pytest.mark.parametrize("owner", ["app", "group"])
def test_group_without_a_prefix_is_an_error(app, owner):
    target = app if owner == "app" else app.group("/api")
    with pytest.raises(ValueError, match=rf"write `@{owner}\.group\('/path'\)` before <fun"):
        target.group(ok)


@pytest.mark.parametrize("path", ["/\ud800", "/a/\udfff/b", "/\udc00{x}", "/{x}/\ud83d"])
def test_path_with_a_lone_surrogate_is_an_error(app, path):
    text = re.escape(f"No request can have the path {path!r}: ")
    with pytest.raises(ValueError, match=text):
        app.route(path)(ok)
    with pytest.raises(ValueError, match=text):
        app.group(path)


def test_characters_beyond_the_basic_plane_are_text(app):
    assert told(app, "/\U0001f600/{x:[^\ud800-\udfff]+}") == []


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("x", "/x"),
        ("", "/"),
        ("x/y", "/x/y"),
        ("<id>", "/<id>"),
        (" /x", "/x"),
        ("^x/$", "/x/"),
        ("^/x$", "/x"),
    ],
)
def test_path_without_a_slash_is_an_error(app, path, right):
    text = f"The path {path!r} does not begin with a '/': write {right!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        app.route(path)


@pytest.mark.parametrize("path", [None, 1, b"/x", ["/x"]])
def test_path_that_is_not_text_is_an_error(app, path):
    for make in (app.route, app.group, app.group("/api").route, app.group("/api").group):
        with pytest.raises(ValueError, match="A path is text, such as '/path', not "):
            make(path)


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/x/<id>", "/x/{id}"),
        ("/x/<int:id>", "/x/{id:int}"),
        ("/x/<uuid:id>/<path:rest>", "/x/{id:uuid}/{rest:path}"),
        ("/x/<slug:name>", "/x/{name}"),
        ("/x/<id:int>", "/x/{id:int}"),
        ("/x/<int(min=1):id>.json", "/x/{id:int}.json"),
        ("/<a>-<b>/{c}", "/{a}-{b}/{c}"),
        (r"/x/(?P<id>\d+)/", r"/x/{id:\d+}/"),
        (r"/x/(?P<id>[0-9]+)", "/x/{id:[0-9]+}"),
    ],
)
def test_error_for_placeholders_of_other_frameworks_has_the_right_spelling(app, path, right):
    text = f"The path {path!r} has a placeholder in '<>': write {right!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        app.route(path)(ok)
    app.route(right)(ok)


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/x/{id?}", "{id}'. No placeholder is optional: register the path without it, too"),
        ("/x/{id=1}", "{id}'. No placeholder is optional: register the path without it, too"),
        ("/x/{ id}", "{id}'"),
        ("/x/{id }", "{id}'"),
        ("/x/{id : int}", "{id:int}'"),
        (r"/x/{id :\d+}", r"{id:\d+}'"),
        ("/x/{id<int>}", "{id:int}'"),
        ("/x/{id(int)}", "{id:int}'"),
        ("/x/{id|number}", "{id:int}'"),
        ("/x/{id, int}", "{id:int}'"),
        ("/x/{id!r}", "{id}'"),
        ("/x/{*rest}", "{rest:path}'"),
        ("/x/{rest*}", "{rest:path}'"),
        ("/x/{...rest}", "{rest:path}'"),
    ],
)
def test_error_for_an_invalid_placeholder_name_has_the_right_spelling(app, path, right):
    inner = path.removeprefix("/x/")
    text = (
        f"The path {path!r} has the placeholder '{inner}', whose name has more than letters,"
        f" digits and '_': write '{right}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        app.route(path)
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        app.group(path)


def test_double_braces_are_an_error(app):
    with pytest.raises(ValueError, match=r"has two braces for one: write '/x/\{id\}/y'"):
        app.route("/x/{{id}}/y")


@pytest.mark.parametrize("name", ["user-id", "user.id", "1", "class"])
def test_name_that_only_double_stars_accept_is_an_error_for_other_handlers(app, name):
    app.route(f"/{{{name}}}")(ok)
    with pytest.raises(ValueError, match=rf"No parameter can be named '{name}': give the place"):
        app.route(f"/x/{{{name}}}")(lambda request, response, name: None)


@pytest.mark.parametrize("name", ["request", "response", "ws"])
def test_placeholder_named_like_another_argument_is_an_error(app, name):
    protocol = "websocket" if name == "ws" else "http"
    with pytest.raises(ValueError, match=rf"Give the placeholder '{name}' a name of its own$"):
        app.route(f"/{{{name}}}", protocol=protocol)(lambda request, response: None)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "/x/[id]",
            "The '[' in the path '/x/[id]' is plain text: a placeholder is written '/x/{id}'",
        ),
        (
            "/x/${id}",
            "The '$' in the path '/x/${id}' is plain text: a placeholder is written '/x/{id}'",
        ),
        *[
            (
                path,
                f"The path {path!r} is plain text, not a regular expression: write expressions in"
                r" braces, as in '/{name:\d+}'; they match to the end of the placeholder",
            )
            for path in (r"/x/(\d+)", "/x/.*", "/x/[0-9]+", "/x$")
        ],
        ("/x ", "The path '/x ' matches with white space at its end only: write '/x'"),
        ("/x\n", "The path '/x\\n' matches with white space at its end only: write '/x'"),
        (
            "/x/**",
            "The '*' in the path '/x/**' is plain text: to match any text, write '/x/{rest:path}'",
        ),
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
def test_text_that_is_a_placeholder_elsewhere_causes_a_warning(app, path, text):
    assert told(app, path) == [text]
    assert app.routes.match(path.replace("{page}", "1").replace("{id}", "1"))[0] is not None


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
        ("{Int:id}", "id", "{id:int}"),
        ("{number:id}", "id", "{id:int}"),
        ("{id:number}", "number", "{id:int}"),
        ("{id:Long}", "Long", "{id:int}"),
        ("{id:num}", "num", "{id:int}"),
        ("{id:d}", "d", "{id:int}"),
        ("{id:decimal}", "decimal", "{id:float}"),
        ("{id:text}", "text", "{id:string}"),
        ("{id:guid}", "guid", "{id:uuid}"),
        ("{id: int}", " int", "{id:int}"),
        ("{id:str }", "str ", "{id:string}"),
        ("{id:slug}", "slug", "{id:[a-z0-9-]+}"),
        ("{on:bool}", "bool", "{on:true|false}"),
    ],
)
def test_word_that_resembles_a_type_causes_a_warning_and_works(app, placeholder, word, right):
    path = f"/x/{placeholder}"
    assert told(app, path) == [
        f"In the path {path!r}, {word!r} is not a type, but a regular expression, which matches"
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
        "/{user-id}",
        "/{kind:string|number}",
        r"/{x:^\d+$}",
        "/$metadata",
        "/Products(1)",
        "/a[0]",
        *[f"/{{x:{kind}}}" for kind in TYPES],
    ],
)
def test_correct_paths_cause_no_warning(app, path):
    assert told(app, path) == []


@pytest.mark.parametrize(
    ("placeholder", "pattern", "right"),
    [
        ("{id:int?}", "int?", "{id:int}"),
        ("{id:int(min=1)}", "int(min=1)", "{id:int}"),
        ("{id:number:min(1)}", "number:min(1)", "{id:int}"),
        ("{rest:path*}", "path*", "{rest:path}"),
        (r"{id:re:\d+}", r"re:\d+", r"{id:\d+}"),
        (r"{id:regex(\d+)}", r"regex(\d+)", r"{id:\d+}"),
    ],
)
def test_type_with_trailing_text_causes_a_warning(app, placeholder, pattern, right):
    path = f"/x/{placeholder}"
    assert told(app, path) == [
        f"In the path {path!r}, {pattern!r} is not a type, but a regular expression."
        f" Write '{right}'"
    ]


def test_type_that_belongs_into_the_annotation_causes_a_warning(app):
    (text,) = told(app, "/{day:date}")
    assert text.endswith(
        "Write '{day}', and annotate the parameter of the view with `datetime.date`"
    )


def test_custom_types_are_known():
    mine = type("Mine", (Routes,), {"converters": {"integer": Converter(r"\d+", int)}})
    app = type("App", (Roll,), {"Routes": mine})()
    assert told(app, "/{id:integer}") == []


def test_text_of_a_path_is_the_part_outside_of_braces():
    text, inner = pieces(r"/a/{b:\d{4}}/c{d}.{e:\\}\}")
    assert (text, inner) == (r"/a/{}/c{}.{}\}", [r"b:\d{4}", "d", r"e:\\"])
    assert pieces(r"/{a:\{\}}b") == ("/{}b", [r"a:\{\}"])
    assert pieces("/a}b") == ("/a}b", [])


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
def test_missing_slash_in_a_group_is_an_error(app, path, what):
    group = app.group("/api")
    text = f"The path {path!r} in the group '/api' does not begin with a '/': write {'/' + path!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        getattr(group, what)(path)


def test_a_prefix_begins_with_a_slash(app):
    with pytest.raises(ValueError, match="The path 'api' does not begin with a '/': write '/api'"):
        app.group("api")


def test_empty_path_in_an_empty_group_is_an_error(app):
    with pytest.raises(ValueError, match="The path '' does not begin with a '/'"):
        app.group("").route("")


def heard(call):
    """Give the texts of the warnings of a call, with their lines, counted from its first."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    first = call.__code__.co_firstlineno
    return [(each.lineno - first, str(each.message)) for each in caught]


def test_warning_about_a_group_is_at_its_line_and_not_repeated(app):
    def make():
        api = app.group("/:version/", lazybody=True)
        api.route("x")(ok)
        books = api.group("/{id:number}", method="POST")
        books.route("/:page", maxbody=3)(ok)

    assert heard(make) == [
        (
            1,
            "The ':' in the path '/:version/' is plain text: a placeholder is written"
            " '/{version}/'",
        ),
        (1, "The extra 'lazybody' of a route means nothing to Roll: write `lazy_body=`"),
        (
            3,
            "In the path '/{id:number}', 'number' is not a type, but a regular expression, which"
            " matches 'number' and nothing else. Write '{id:int}'",
        ),
        (3, "The extra 'method' of a route means nothing to Roll: write `methods=`"),
        (4, "The ':' in the path '/:page' is plain text: a placeholder is written '/{page}'"),
        (4, "The extra 'maxbody' of a route means nothing to Roll: write `max_body=`"),
    ]


@pytest.mark.parametrize(
    ("extras", "text"),
    [
        ({"max_body": "3"}, "`max_body` is a number of bytes, or None for no limit, not '3'"),
        ({"protocol": "ws"}, "Unknown protocol 'ws': must be one of 'http', 'websocket'"),
        (
            {"methods": 5},
            "`methods` is a list of methods, such as ['GET', 'POST'], or one of them",
        ),
        ({"path": "/x"}, "A group has no `path`: give each of its routes a path"),
    ],
)
def test_invalid_setting_of_a_group_is_an_error_at_its_line(app, extras, text):
    for group in (app.group, app.group("/api").group):
        with pytest.raises(ValueError, match=re.escape(text)):
            group("/x", **extras)


def test_a_group_of_another_router_has_any_prefix():
    foreign = type("Foreign", (), {"add": None, "match": None})
    app = type("App", (Roll,), {"Routes": foreign})()
    assert heard(lambda: app.group("no path/:x").group("/{id?}")) == []
