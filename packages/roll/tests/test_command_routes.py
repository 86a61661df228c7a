"""The commands `roll routes` and `roll check`."""

import functools
import inspect
import json
import sys

import pytest

from roll import Limits, Roll, extensions
from roll.command import main
from roll.command.production import findings
from roll.inventory import NotListed, entries, extensions_of

APP = """
from roll import Roll, extensions

app = Roll()
extensions.cors(app, origin="https://example.org")

@app.route("/", methods=["GET", "POST"], name="home", cache=3)
async def index(request, response): ...

@app.route("/user/{id:digit}")
class User:
    def on_get(self, request, response, id): ...
    def on_delete(self, request, response, id): ...

@app.route("/live", protocol="websocket", origins=["https://example.org"])
async def live(request, ws): ...

@app.route("/upload", methods=["PUT"], lazy_body=True)
async def upload(request, response): ...
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    tmp_path.joinpath("app.py").write_text(APP)
    yield tmp_path
    sys.modules.pop("app", None)


def test_routes_are_a_table(capsys):
    assert main(["routes"]) == 0
    assert capsys.readouterr().out == (
        "PATH              METHODS    NAME  HANDLER                   EXTRAS\n"
        "/                 GET,POST   home  index app.py:7            cache=3\n"
        "/user/{id:digit}  GET        -     User.on_get app.py:12\n"
        "/user/{id:digit}  DELETE     -     User.on_delete app.py:13\n"
        "/live             websocket  -     live app.py:15            "
        "origins=['https://example.org']\n"
        "/upload           PUT        -     upload app.py:18          lazy_body=True\n"
    )


def test_routes_are_objects_of_json(capsys):
    assert main(["routes", "app:app", "--json"]) == 0
    first, *_, last = json.loads(capsys.readouterr().out)
    assert first == {
        "path": "/",
        "methods": ["GET", "POST"],
        "protocol": "http",
        "name": "home",
        "handler": "index",
        "file": "app.py",
        "line": 7,
        "extras": {"cache": 3},
    }
    assert last["extras"] == {"lazy_body": True}


FILES = """
from roll import Roll, extensions

inner = Roll()
extensions.static(inner, "/files", name="files")

@inner.route("/news")
async def news(request, response): ...

async def asgi(scope, receive, send): ...

app = Roll()
app.mount("/old", asgi, max_body=5, max_size=7)
app.mount("/inner", inner)
extensions.static(app)
"""


def test_files_and_mounted_applications_are_listed(folder, capsys):
    folder.joinpath("app.py").write_text(FILES)
    assert main(["routes"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [
        ["/old", "mount"],
        ["/inner", "mount"],
        ["/inner/news", "GET"],
        ["/inner/files/{path:any}", "GET"],
        ["/static/{path:any}", "GET"],
    ]
    assert "mount of function" in lines[0]
    assert lines[0].endswith(" max_body=5 max_size=7")
    assert lines[4].endswith("the extension static")
    assert "news app.py:7" in lines[2]
    assert main(["routes", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["protocol"], first["file"], first["line"]) == ("mount", None, None)
    assert "DELETE" in first["methods"]


def test_route_that_files_hide_is_a_problem(folder, capsys):
    text = '\n@app.route("/static/{path:any}")\nasync def mine(request, response, path): ...\n'
    folder.joinpath("app.py").write_text(FILES + text)
    assert main(["check"]) == 1
    assert "'/static/{path:any}'" in capsys.readouterr().out


def test_decorated_handler_has_the_line_where_it_is_written(app):
    def decorated(view):
        @functools.wraps(view)
        async def wrapper(*args, **names):
            await view(*args, **names)

        return wrapper

    async def plain(request, response): ...

    class View:
        async def on_get(self, request, response): ...

        on_post = decorated(on_get)

    app.route("/plain")(decorated(plain))
    app.route("/view")(View)
    code = View.on_get.__code__
    assert [one.line for one in entries(app)] == [
        plain.__code__.co_firstlineno,
        code.co_firstlineno,
        code.co_firstlineno,
    ]


def test_handler_without_code_has_no_line(app):
    class Answer:
        def __call__(self, request, response): ...

    app.route("/object")(Answer())
    app.routes.add("/raw", GET=print)
    found = list(entries(app))
    assert [(one.path, one.handler) for one in found] == [("/object", "Answer"), ("/raw", "print")]
    assert found[0].file == __file__
    assert found[1].file is None
    assert found[1].line is None


class Router:
    def add(self, path, **payload): ...

    def match(self, path):
        return None, None


class Swapped(Roll):
    Routes = Router


def test_router_that_cannot_be_listed_is_an_error(capsys, folder):
    with pytest.raises(NotListed, match="of type Router, cannot be listed: it is not iterable"):
        list(entries(Swapped()))
    text = "from test_command_routes import Swapped\napp = Swapped()\n"
    folder.joinpath("app.py").write_text(text)
    sys.modules.setdefault("test_command_routes", sys.modules[__name__])
    assert main(["routes"]) == 1
    assert "roll: The router, of type Router, cannot be listed" in capsys.readouterr().err


def test_extensions_in_use_are_seen(app, tmp_path):
    assert extensions_of(app) == []
    extensions.traceback(app)
    extensions.options(app)
    extensions.static(app, root=tmp_path)
    extensions.named_url(app)
    app.listen("headers")(lambda request: None)
    assert extensions_of(app) == ["named_url", "options", "static", "traceback"]
    assert extensions_of(Swapped()) == []


def test_every_extension_that_listens_is_listed(app, tmp_path):
    for name in extensions.__all__:
        extension = getattr(extensions, name)
        if not inspect.isfunction(extension) or name == "simple_server":
            continue
        app = Roll()
        options = {
            "observe": {"report": lambda *told: None},
            "sessions": {"secret": "x" * 20},
            "static": {"root": tmp_path},
        }
        extension(app, **options.get(name, {}))
        if any(app.hooks.values()):
            assert extensions_of(app) == [name]


def texts(app):
    return [str(one) for one in findings(app)]


def test_sound_application_has_no_problem(capsys):
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "no problems, no notes\n"


def test_unsafe_settings_are_problems():
    app = Roll(limits=Limits(body=None, head_timeout=float("inf")))
    extensions.traceback(app)
    assert texts(app) == [
        "problem: the limit 'body' is lifted (default 16777216)",
        "problem: the limit 'head_timeout' is lifted (default 10)",
        "problem: the extension `traceback` sends the text of exceptions to clients",
    ]


def test_session_that_goes_over_plain_http_is_a_problem(app):
    app.listen("headers")(lambda request: None)
    extensions.sessions(app, "x" * 20, secure=False)
    assert texts(app) == [
        "problem: the cookie of `sessions` goes over plain HTTP too: leave out `secure=False`"
    ]


def test_sessions_in_memory_are_a_note(app):
    extensions.sessions(app, "x" * 20, store=extensions.MemoryStore())
    assert texts(app) == [
        "note: sessions are in the memory of one process: `RedisStore` is for several"
    ]


@pytest.mark.parametrize("store", [None, extensions.RedisStore("redis://localhost")])
def test_sessions_in_a_cookie_or_in_redis_are_sound(app, store):
    extensions.sessions(app, "x" * 20, store=store)
    assert texts(app) == []


def test_errors_that_are_not_logged_are_a_problem(app):
    app.log_errors = False
    assert texts(app) == ["problem: `log_errors` is False: unexpected exceptions are not logged"]


def test_websocket_for_any_site_is_a_note(app):
    @app.route("/live", protocol="websocket")
    async def live(request, ws): ...

    assert texts(app) == [
        "note: the websocket /live has no `origins`: pages of any site may connect, with your"
        " users' cookies"
    ]


def test_websocket_that_csrf_protects_needs_no_origins(app):
    extensions.csrf(app)

    @app.route("/live", protocol="websocket")
    async def live(request, ws): ...

    assert texts(app) == []


def test_route_that_another_one_hides_is_a_problem(app):
    @app.route("/n/{number:digit}")
    async def one(request, response, number): ...

    @app.route(r"/n/{number:\d+}")
    async def two(request, response, number): ...

    @app.route("/n/{name}")
    async def three(request, response, name): ...

    @app.route("/regex/{name:xyz[0-9]{7}}")
    async def nothing_to_try_it_with(request, response, name): ...

    assert texts(app) == [r"problem: /n/{number:\d+} is never reached: /n/{number:digit} answers"]


def test_name_of_two_paths_is_a_problem(app):
    app.routes.add("/a", GET=print, name="same")
    app.route("/b", name="b")(lambda request, response: None)
    payload, _ = app.routes.match("/b")
    payload["GET:endpoint"].extras["name"] = "same"
    app.route("/c", name="same")(lambda request, response: None)
    assert texts(app) == ["problem: /c has the name 'same' of /b"]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({"public": True}, {}, True),
        ({}, {"public": True}, True),
        ({"public": True}, {"public": False}, True),
        ({"public": True}, {"public": True}, False),
        ({"lazy_body": True, "max_body": 5}, {"name": "x", "csrf": False}, False),
    ],
)
def test_extra_that_the_methods_of_a_path_do_not_share_is_a_note(app, first, second, told):
    app.route("/a", **first)(lambda request, response: None)
    app.route("/a", methods=["POST"], **second)(lambda request, response: None)
    note = (
        "note: the extra 'public' of /a is not the same for all methods, and"
        " `request.route.payload` has it for all"
    )
    assert texts(app) == [note] * told


def test_swapped_router_is_a_note():
    assert texts(Swapped()) == [
        "note: The router, of type Router, cannot be listed: it is not iterable"
    ]


def test_missing_uvloop_is_a_note(app, monkeypatch):
    from roll.command import production

    monkeypatch.setattr(production, "find_spec", lambda name: None)
    assert texts(app) == ['note: uvloop is not installed: `pip install "roll[fast]"` is faster']


@pytest.mark.filterwarnings("default")
def test_warnings_of_roll_are_problems_with_their_line(folder, capsys):
    text = '@app.route("/", name="again", cache=3)\nasync def again(request, response): ...\n'
    other = "import warnings\nwarnings.warn('of somebody else')\n"
    folder.joinpath("app.py").write_text(APP + text + other)
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("problem: app.py:20: GET '/' of app.again")
    assert out.endswith("1 problem, no notes\n")


def test_line_outside_of_the_folder_is_absolute(folder, capsys, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    module = elsewhere / "shop.py"
    module.write_text(APP + '@app.route("/", cache=3)\nasync def again(request, response): ...\n')
    assert main(["check", str(module)]) == 1
    assert f"problem: {module}:20: " in capsys.readouterr().out
    sys.modules.pop("shop")


def test_handler_that_cannot_be_hashed_is_listed(app):
    class Greeting:
        __hash__ = None

        def __call__(self, request, response): ...

    app.route("/g", methods=["GET", "POST"])(Greeting())
    assert [one.methods for one in entries(app)] == [["GET", "POST"]]
