"""The extension `named_url`."""

import functools
from datetime import date
from pathlib import Path

import pytest

from roll import Roll, Routes
from roll.extensions import named_url, static
from roll_routing import Converter


@pytest.fixture
def url_for(app):
    """The function of the extension."""
    return named_url(app)


def view(request, response, **placeholders):
    """Say nothing."""


def test_a_route_is_named_after_its_view_in_lower_case(app, url_for):
    @app.route("/one/{name}")
    def One(request, response, name):
        """Say nothing."""

    @app.route("/two/{id:digit}.{ext}")
    class Two:
        def on_get(self, request, response, id, ext):  # noqa: A002 - as the path calls it
            """Say nothing."""

    app.route("/three")(functools.partial(view))
    assert url_for("one", name="a b") == "/one/a%20b"
    assert url_for("two", id=12, ext="html") == "/two/12.html"
    assert url_for("partial") == "/three"


def test_an_explicit_name_wins(app, url_for):
    app.route("/a", name="home")(view)
    assert url_for("home") == "/a"
    with pytest.raises(ValueError, match=r"'view'; known names: \['home'\]"):
        url_for("view")


@pytest.mark.parametrize("given", [{}, {"other": 1}, {"id": "x"}])
def test_a_missing_or_wrong_variable_is_a_value_error(app, url_for, given):
    app.route("/{id:digit}")(view)
    with pytest.raises(ValueError, match="id"):
        url_for("view", **given)


def test_two_views_cannot_share_a_name(app, url_for):
    app.route("/a")(view)

    def other(request, response):
        """Say nothing."""

    other.__name__ = "View"
    with pytest.raises(ValueError, match=r"'view' is taken.*'/a'.*'/b'.*`name=`"):
        app.route("/b")(other)
    assert app.routes.match("/b") == (None, None)


def test_routes_that_were_registered_before_the_extension_have_names(app):
    app.route("/a")(view)
    app.route("/b", name="b")(lambda request, response: None)
    url_for = named_url(app)
    app.route("/c", name="c")(lambda request, response: None)
    assert (url_for("view"), url_for("b"), url_for("c")) == ("/a", "/b", "/c")


def test_name_that_two_views_had_before_the_extension_cannot_be_used(app):
    def clashing():
        def page(request, response):
            """Say nothing."""

        return page

    app.route("/a")(clashing())
    app.route("/b")(clashing())
    app.route("/c")(view)
    url_for = named_url(app)
    assert url_for("view") == "/c"
    with pytest.raises(ValueError, match=r"'page' is taken.*'/a'.*'/b'.*`name=`"):
        url_for("page")


async def test_files_have_names_from_startup_on(app, tmp_path):
    static(app, root=tmp_path)
    url_for = named_url(app)
    with pytest.raises(ValueError, match=r"No route is named 'static'.* from startup on"):
        url_for("static", path="a.css")
    await app.startup()
    assert url_for("static", path="css/a.css") == "/static/css/a.css"


def test_two_methods_of_a_path_may_share_a_name(app, url_for):
    app.route("/a", name="a")(view)
    app.route("/a", methods=["POST"], name="a")(lambda request, response: None)
    assert url_for("a") == "/a"


def test_a_view_may_be_at_several_paths(app, url_for):
    app.route("/a")(view)
    app.route("/b/{name}")(view)
    app.route("/b/{name}", methods=["POST"])(view)
    assert url_for("view") == "/a"
    assert url_for("view", name="x") == "/b/x"
    assert url_for("view", other="x") == "/a?other=x"
    assert url_for("view", name="x", other="y") == "/b/x?other=y"


async def test_static_files_have_urls(app, url_for):
    static(app, "/assets/", Path(), name="assets")
    static(app, "/static/")
    await app.startup()
    await app.startup()
    assert url_for("assets", path="css/a.css") == "/assets/css/a.css"
    assert url_for("static", path="a.css") == "/static/a.css"


async def test_two_unnamed_statics_clash_in_named_url(app, url_for):
    static(app, "/a/")
    static(app, "/b/")
    with pytest.raises(ValueError, match="'static'"):
        await app.startup()


def test_an_extra_may_have_any_name(app, url_for):
    @app.route("/a", view="list")
    def page(request, response): ...

    assert url_for("page") == "/a"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"name": "a"}, "/books/a"),
        ({"name": "a", "page": 2}, "/books/a?page=2"),
        ({"name": "a", "q": "é & b", "page": 2}, "/books/a?q=%C3%A9+%26+b&page=2"),
        ({"name": "a", "tag": ["x", "y"]}, "/books/a?tag=x&tag=y"),
        ({"name": "a", "tag": ()}, "/books/a"),
        ({"name": "a", "page": None}, "/books/a"),
        ({"page": 0, "name": "a", "empty": ""}, "/books/a?page=0&empty="),
        ({"name": "a", "self": 1, "path": "x"}, "/books/a?self=1&path=x"),
    ],
)
def test_variables_without_a_place_go_to_the_query_string(app, url_for, given, url):
    app.route("/books/{name}", name="book")(view)
    assert url_for("book", **given) == url


def test_missing_variable_is_an_error_also_with_others(app, url_for):
    app.route("/books/{name}", name="book")(view)
    with pytest.raises(ValueError, match=r"missing \['name'\]"):
        url_for("book", page=2)


def test_of_several_paths_the_one_with_most_of_the_variables_is_built(app, url_for):
    for path in ("/a", "/a/{x:digit}", "/a/{y:alpha}", "/a/{x:digit}/{y}"):
        app.route(path, name="view")(view) if path == "/a" else app.route(path)(view)
    assert url_for("view", x=1) == "/a/1"
    assert url_for("view", y="b") == "/a/b"
    assert url_for("view", x=1, y="b", z=3) == "/a/1/b?z=3"
    assert url_for("view", z=3) == "/a?z=3"
    # The value does not match, so it must not become a part of the query of the other path.
    with pytest.raises(ValueError, match="'x' is of type 'digit'"):
        url_for("view", x="b")


def test_of_paths_with_the_same_variables_the_one_that_takes_them_is_built(app, url_for):
    app.route("/b/{x:digit}")(view)
    app.route("/c/{x:alpha}")(view)
    assert url_for("view", x=1) == "/b/1"
    assert url_for("view", x="a", page=2) == "/c/a?page=2"


def test_a_converter_makes_the_text_of_its_variable():
    converters = {"day": Converter(r"[\d-]+", date.fromisoformat, date.isoformat)}
    mine = type("Mine", (Routes,), {"converters": converters})
    app = type("App", (Roll,), {"Routes": mine})()
    url_for = named_url(app)
    app.route("/{at:day}")(view)
    assert url_for("view", at=date(2026, 11, 29), page=1) == "/2026-11-29?page=1"


def test_of_another_router_the_paths_are_built_as_ours():
    class Flat(dict):
        def add(self, path, **payload):
            self[path] = payload

    app = type("App", (Roll,), {"Routes": Flat})()
    url_for = named_url(app)
    app.route("/{name}")(view)
    assert url_for("view", name="a", page=1) == "/a?page=1"
