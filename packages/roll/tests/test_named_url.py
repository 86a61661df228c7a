"""The extension `named_url`."""

import functools
from pathlib import Path

import pytest

from roll.extensions import named_url, static


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


async def test_static_twice_without_names_is_two_views_of_one_name(app, url_for):
    static(app, "/a/")
    static(app, "/b/")
    with pytest.raises(ValueError, match="'static'"):
        await app.startup()


def test_an_extra_may_have_any_name(app, url_for):
    @app.route("/a", view="list")
    def page(request, response): ...

    assert url_for("page") == "/a"
