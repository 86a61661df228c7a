"""The helper for applications of 0.13: the lines that it lists, and those that it does not."""

import os
import re
import runpy
import tempfile
from pathlib import Path

import pytest

import roll
from roll import upgrading
from roll.upgrading import RULES, findings_in
from roll.upgrading.command import main
from roll.upgrading.rules import SOCKET_NAMES
from roll_http.connection.gone import INSTEAD

GUIDE = Path(__file__).parents[3] / "docs" / "upgrading.md"

# Row -> lines that are named, each a program; `~` stands for a new line.
NAMED = {
    "Default Content-Type": [
        'def v(request, response):~    response.body = "<h1>x</h1>"',
        'async def v(req, resp):~    resp.body = f"<p>{req.path}"',
        'def v(r, response):~    response.body = "<p>%s" % r.path',
        'def v(r, response):~    response.body = env.get_template("x").render(a=1)',
        "class V:~    def on_get(self, request, response):~        response.body = render(1)",
    ],
    "ujson": ["import ujson", "import ujson as json", "from ujson import dumps"],
    "You need": ["import multifruits", "from mimetype_match import x"],
    "Names that are gone": [
        "from roll.http import HttpCode",
        "from roll.io import StreamQueue",
        "from roll.nowhere import x",
    ],
    "Text of exceptions": ['@app.listen("error")~def e(a, b, error):~    x = error.message'],
    "Errors are text": [
        '@app.listen("error")~async def e(request, response, error):~    response.body = page'
    ],
    "Content type of a file": [
        'file.content_type == b"text/plain"',
        'b"text/plain" != request.files.get("a").content_type',
        "file.content_type.decode()",
        'file.params[b"name"]',
    ],
    "Files are not BytesIO": ["data = file.getbuffer()"],
    "Words of booleans": [
        'class Q(Query):~    TRUE_STRINGS = ("y",)',
        "class F(roll.Form):~    NONE_STRINGS: tuple = ()",
    ],
    "Hooks of Multipart": ["class M(Multipart):~    def on_data(self, data): ..."],
    "Autoroutes itself": ["app.routes.root", "self.routes.dump()"],
    "True results of listeners": [
        '@app.listen("request")~async def r(request, response):~    return response',
        '@app.listen("startup")~def s():~    return connect()',
    ],
    "cors": [
        "cors(app, credentials=True)",
        'extensions.cors(app, "*", credentials=True)',
        'cors(app, origin="*", methods="*", credentials=True)',
        'cors(app, "example.org")',
        'cors(app, origin="localhost:3579", methods="*")',
    ],
    "Private names of a request": [
        "class R(Request):~    async def _parse_multipart(self): ...",
        "class R(roll.Request):~    queue = None",
        "class R(roll.Request):~    queue: int = None",
        "request._chunk",
    ],
    "New parameters": [
        f'app.route("/", {name}=1)'
        for name in ("max_body", "timeout", "replace", "origins", "max_size")
    ],
    "Arguments of handlers": [
        '@app.route("/{n}")~async def v(request, response, n: int): ...',
        '@app.route("/{n}")~def v(request, response, *, n: uuid.UUID): ...',
    ],
    "New placeholders": ['app.route("/{x:int}")', '@app.route("/{x:uuid}/a")~def v(): ...'],
    "Listeners of route:add": ['@app.listen("route:add")~def a(path, view): ...'],
    "static": ['static(app, "/static/", root)', 'extensions.static(app, root="x")'],
    "Names of HttpProtocol": [
        "class P(HTTPProtocol):~    def write(self, *a): ...",
        "class P(roll.HTTPProtocol):~    on_url = None",
        "class P(Roll.HttpProtocol):~    async def on_headers_complete(self): ...",
    ],
    "protocol.request": [
        "client.protocol.request.path",
        "protocol.response",
        "await self.protocol.task",
    ],
    "Websocket names": [
        "if ws.open: pass",
        "await websocket.wait_closed()",
        "ws.remote_address",
        "ws.NEEDS_UPGRADE",
        "class W(WSProtocol):~    NEEDS_UPGRADE = True",
        "class W(roll.WSProtocol):~    def connection_open(self): ...",
        "class W(WSProtocol):~    async def read_message(self): ...",
        "class W(MyWebsocketProtocol):~    async def drain(self): ...",
    ],
    "The test client": [
        "class C(Client):~    def encode_body(self, body, headers): ...",
        "class C(testing.Client):~    async def handle_files(self, kwargs): ...",
    ],
}

SILENT = [
    'def v(request, response):~    response.headers["Content-Type"] = "text/html"~'
    '    response.body = "<h1>"',
    'def v(request, response):~    response.body = "plain"',
    "class W(WSProtocol):~    TIMEOUT = 1~    async def recv(self): ...",
    "class C(Client):~    async def request(self, path): ...",
    'def v(request, response):~    request.body = b""~    request.body = "<x"',
    "def v(request, response):~    response.body, x = b'', 1",
    "from roll import Roll, HttpError, Request",
    "from roll.http import *",
    "from roll import http, extensions, testing",
    "from .http import HttpCode",
    "from . import ujson",
    "from ..roll import HttpCode",
    "import json",
    '@app.listen("request")~def r(request, response):~    response.message = response.body = 1',
    "app.listen()~app.route()~app.listen(name)~@app.listen~def l(): ...",
    'file.content_type == "text/plain"~file.params["name"]',
    "class P(asyncio.Protocol):~    def write(self): ...",
    "class R(Request):~    x = 1~    pass~class P(HTTPProtocol):~    x = 1~    y: int~    pass",
    '@app.route("/{n}", name="n")~def v(request, response, n, m: str): ...',
    "static(app, root, dotfiles=True)",
    '@app.listen("request")~def r(request):~    if request:~        return True~    return',
    '@app.listen("new")~def n(value):~    return value~app.listen(name)(n)',
    'cors(app, "https://a.org", credentials=True)~cors(app, credentials=False)~cors(app)',
    "class Q(Query):~    page = 1~class M(Multipart):~    x = 1~tree.root~app.routes.match",
    "file.open~ws.send~response.queue~protocol.transport",
]


def program(text):
    return text.replace("~", "\n")


@pytest.mark.parametrize(
    ("row", "text"), [(row, text) for row, texts in NAMED.items() for text in texts]
)
def test_line_is_named_with_its_row(row, text):
    source = program(text)
    found = findings_in(f"import os\n\n{source}\n")
    assert row in {finding.row for finding in found}
    assert {3 <= finding.line < 3 + len(source.splitlines()) for finding in found} == {True}


@pytest.mark.parametrize("text", SILENT)
def test_code_that_is_right_is_not_named(text):
    assert findings_in(program(text)) == []


def test_each_rule_is_a_marked_row_of_the_guide_and_each_marked_row_a_rule():
    marked = re.findall(r"^(?:\| \*\*(.+?)\*\* \*|## (.+?) \*$)", GUIDE.read_text(), re.MULTILINE)
    assert sorted(filter(None, sum(marked, ()))) == sorted(row for row, _ in RULES)
    assert NAMED.keys() == {row for row, _ in RULES}


def test_guide_starts_with_the_content_type_and_ujson():
    rows = re.findall(r"^\| \*\*(.+?)\*\*", GUIDE.read_text(), re.MULTILINE)
    assert rows[:2] == ["Default Content-Type", "ujson"]
    assert len(rows) == len(set(rows))


@pytest.fixture
def package(tmp_path):
    files = {
        "app.py": "from roll import Roll\nimport ujson\n",
        "views/page.py": 'def v(request, response):\n    response.body = "<b>"\n',
        "broken.py": "def (",
        "latin.py": "# coding: utf-8\nx = '\udce9'\n",
        "notes.txt": "import ujson",
        ".hidden/a.py": "import ujson",
        "env/pyvenv.cfg": "",
        "env/lib/a.py": "import ujson",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(errors="surrogateescape"))
    return tmp_path


# What a shop of 0.13 does: nothing of the program below runs as it stands.
SHOP = """
import ujson
from roll import HttpError, HTTPProtocol, Query, Request, Response, Roll
from roll.extensions import cors, static
from roll.http import HttpCode


class ShopRequest(Request):
    def _parse_multipart(self):
        return super()._parse_multipart()


class ShopQuery(Query):
    TRUE_STRINGS = ("y", "yes")


class ShopProtocol(HTTPProtocol):
    def write(self, *args):
        super().write(*args)


class Shop(Roll):
    Request, Query, HttpProtocol = ShopRequest, ShopQuery, ShopProtocol


app = Shop()
cors(app, methods="*", credentials=True)
static(app, root="public")


@app.listen("error")
async def show(request, response, error):
    response.body = f"<h1>{error.message}</h1>"


@app.listen("request")
async def authenticate(request, response):
    if request.headers.get("AUTHORIZATION") != "secret":
        response.status = 401
        return response


@app.route("/items/{id}", timeout=10)
async def item(request, response, id: int):
    response.body = "<p>" + app.items[id]


@app.route("/upload", methods=["POST"])
async def upload(request, response):
    photo = request.files.get("photo")
    if photo.content_type == b"image/png":
        response.body = photo.getbuffer()


@app.route("/chat", protocol="websocket")
async def chat(request, ws):
    while ws.open:
        await ws.send(await ws.recv())


def show_routes():
    print(app.routes.root)
"""


def test_each_line_of_a_shop_that_needs_a_look_is_named():
    lines = SHOP.splitlines()
    found = [(lines[each.line - 1].strip(), each.row) for each in findings_in(SHOP)]
    assert found == [
        ("import ujson", "ujson"),
        ("from roll.http import HttpCode", "Names that are gone"),
        ("def _parse_multipart(self):", "Private names of a request"),
        ('TRUE_STRINGS = ("y", "yes")', "Words of booleans"),
        ("def write(self, *args):", "Names of HttpProtocol"),
        ('cors(app, methods="*", credentials=True)', "cors"),
        ('static(app, root="public")', "static"),
        ('response.body = f"<h1>{error.message}</h1>"', "Default Content-Type"),
        ('response.body = f"<h1>{error.message}</h1>"', "Errors are text"),
        ('response.body = f"<h1>{error.message}</h1>"', "Text of exceptions"),
        ("return response", "True results of listeners"),
        ('@app.route("/items/{id}", timeout=10)', "New parameters"),
        ("async def item(request, response, id: int):", "Arguments of handlers"),
        ('response.body = "<p>" + app.items[id]', "Default Content-Type"),
        ('if photo.content_type == b"image/png":', "Content type of a file"),
        ("response.body = photo.getbuffer()", "Files are not BytesIO"),
        ("while ws.open:", "Websocket names"),
        ("print(app.routes.root)", "Autoroutes itself"),
    ]


COMMAND = Path(upgrading.__file__).with_name("__main__.py")


def test_command_names_lines_and_files_that_cannot_be_read(package, monkeypatch, capsys):
    monkeypatch.chdir(package)
    monkeypatch.setattr("sys.argv", ["upgrading", "."])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(COMMAND), run_name="__main__")
    *lines, summary = capsys.readouterr().out.splitlines()
    assert ended.value.code == 1
    assert lines[0].startswith('app.py:2: "ujson": ')
    assert lines[1].startswith("broken.py: cannot be read as Python: ")
    assert lines[2].startswith("latin.py: cannot be read as Python: ")
    assert lines[3].startswith('views/page.py:2: "Default Content-Type": ')
    assert summary.startswith("4 to look at, in 4 files: see docs/upgrading.md")


UNREADABLE = {
    "deep": "x = " + "-" * 50_000 + "1",
    "long": "x = " + "+".join(["a"] * 20_000),
    "nested": "x = " + "(" * 5_000 + ")" * 5_000,
    "calls": "x = a" + "()" * 20_000,
    "names": "x = a" + ".b" * 20_000,
}


def test_file_that_is_too_deep_does_not_end_the_run(tmp_path, capsys):
    """Before, it ended by a MemoryError or a RecursionError; some Pythons can read some of it."""
    for name, source in UNREADABLE.items():
        (tmp_path / f"{name}.py").write_text(source)
    (tmp_path / "zz_last.py").write_text("import ujson\n")
    assert main([str(tmp_path)]) == 1
    *lines, last, summary = capsys.readouterr().out.splitlines()
    assert lines
    for line in lines:
        assert re.search(r"\.py: cannot be read as Python: .", line)
    assert '"ujson"' in last
    assert f"in {len(UNREADABLE) + 1} files" in summary


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that cannot be read")
def test_file_that_the_system_does_not_read_is_named(tmp_path, capsys):
    (tmp_path / "broken.py").symlink_to("/proc/self/mem")
    (tmp_path / "fine.py").write_text("import ujson\n")
    assert main([str(tmp_path)]) == 1
    first, second, _ = capsys.readouterr().out.splitlines()
    assert "broken.py: cannot be read as Python: [Errno 5]" in first
    assert '"ujson"' in second


@pytest.fixture
def plain_user():
    """Give up the rights of root for the test: root may read everything."""
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no such rights")
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.mark.parametrize("mode", [0, 0o400, 0o100])
def test_folder_that_cannot_be_read_is_named(plain_user, mode, capsys):
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "fine.py").write_text("import ujson\n")
        closed = Path(place) / "closed"
        closed.mkdir()
        (closed / "app.py").touch()
        closed.chmod(mode)
        status = main([place])
        closed.chmod(0o700)
    first, second, _ = capsys.readouterr().out.splitlines()
    assert status == 1
    assert "closed: cannot be read as Python: [Errno " in first
    assert '"ujson"' in second


def test_command_takes_a_file_and_says_when_there_is_nothing(package, capsys):
    (package / "fine.py").write_text("import roll\n")
    assert main([str(package / "fine.py")]) == 0
    assert capsys.readouterr().out.startswith("0 to look at, in 1 files")


@pytest.mark.parametrize(("arguments", "told"), [([], "Name a file"), (["no"], "No such file")])
def test_command_prints_its_usage(arguments, told, capsys):
    assert main(arguments) == 2
    told_all = capsys.readouterr().err
    assert told_all.startswith(told)
    assert "usage: python -m roll.upgrading PATH..." in told_all


# The public names that classes of 0.13.4 had.
OLD = {
    "Roll": """Cookies Files Form HttpProtocol Query Request Response Routes WebsocketProtocol
        factory hook listen lookup on_error route shutdown startup""",
    "HttpError": "message status",
    "Request": """app body content_type cookies files form headers host json load_body method
        origin path protocol query query_string queue read referer referrer route upgrade url""",
    "Response": "app body cookies headers json protocol redirect status",
    "Query": "FALSE_STRINGS NONE_STRINGS TRUE_STRINGS bool float int list",
    "Files": "list",
    "Multipart": """app feed_data files form initialize on_data on_header on_headers_complete
        on_part_begin on_part_complete""",
    "Cookies": "set",
    "HTTPProtocol": """ALLOWED_METHODS NEEDS_UPGRADE RequestParser app drain draining is_chunked
        on_body on_header on_headers_complete on_message_begin on_message_complete on_url parser
        pause_reading request response resume_reading task transport upgraded write write_body""",
    "WSProtocol": """ALLOWED_METHODS MAX_QUEUE MAX_SIZE NEEDS_UPGRADE READ_LIMIT TIMEOUT
        WRITE_LIMIT abort_pings close close_code close_connection close_reason
        close_transport closed connection_closed_exc connection_open drain
        ensure_open fail_connection handshake host is_client keepalive_ping
        local_address open ping pong port read_data_frame read_frame read_message
        recv remote_address run secure send side transfer_data wait_closed
        wait_for_connection_lost write_close_frame write_frame write_frame_sync""",
    "Route": "payload vars",
    "Routes": "add dump match root",
}


@pytest.mark.parametrize("kind", OLD)
def test_each_old_name_is_there_or_in_the_guide(kind):
    # A test must not take an annotated slot for missing, nor a name of instances alone.
    there = {*dir(getattr(roll, kind)), "message", "transport"}
    gone = set(OLD[kind].split()) - there
    told = set(re.findall(r"\w+", GUIDE.read_text())) | INSTEAD.keys() | SOCKET_NAMES
    assert gone - told == set()
