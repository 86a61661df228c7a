"""Examples of the how-to guides that need another server: a model, PostgreSQL, a second start."""

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SUPPORT = Path(__file__).parent / "support"
INITDB = shutil.which("initdb") or max(
    map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None
)


@pytest.fixture
def program(run):
    """Start a script on a free port, like the examples, with further environment variables."""

    def start(path, **env):
        started = run(sys.executable, path, PYTHONPATH=str(SUPPORT), ROLL_TEST_PORT="0", **env)
        started.wait_for_url()
        return started

    return start


def test_words_of_a_model_are_passed_on(program, curl):
    model = program(SUPPORT / "model_app.py")
    app = program("examples/model_stream.py", MODEL_URL=f"{model.url}/v1/chat/completions")
    answer = curl(f"{app.url}/ask?question=why")
    assert answer.headers["content-type"].startswith("text/event-stream")
    words = [
        line.removeprefix("data:").removeprefix(" ") for line in answer.body.splitlines() if line
    ]
    assert words == ["You ", "ask: ", "why", "event: end", ""]
    model.wait_for("The model has stopped")


def test_model_stops_when_the_reader_leaves(program):
    model = program(SUPPORT / "model_app.py")
    app = program("examples/model_stream.py", MODEL_URL=f"{model.url}/v1/chat/completions")
    command = ["curl", "--silent", "--no-buffer", "--noproxy", "*"]
    with subprocess.Popen(
        [*command, f"{app.url}/ask?question=forever"], stdout=subprocess.PIPE, text=True
    ) as reader:
        lines = iter(reader.stdout.readline, "")
        assert any("forever" in line for line in lines)
        reader.kill()
    model.wait_for("The model has stopped")
    assert app.stop() == 0


def test_notes_in_a_file_survive_a_restart(program, curl, tmp_path):
    notes = str(tmp_path / "notes.db")
    app = program("examples/sqlite_notes.py", NOTES=notes)
    assert curl("--data", "text=Bread", f"{app.url}/notes").status == 201
    assert app.stop() == 0
    app = program("examples/sqlite_notes.py", NOTES=notes)
    assert curl(f"{app.url}/notes").body == '["Bread"]'


def as_postgres():
    """How to become a user that PostgreSQL starts for: it refuses root."""
    if os.getuid():
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@pytest.fixture
def postgresql(tmp_path_factory):
    """The URL of a new PostgreSQL server, on a Unix socket."""
    if INITDB is None:
        pytest.skip("PostgreSQL is not installed")
    folder = tmp_path_factory.mktemp("pg")
    who = as_postgres()
    if who:
        for path in (folder, folder.parent, folder.parent.parent):
            path.chmod(0o755)
        os.chown(folder, who["user"], who["group"])
    tool = Path(INITDB).with_name("pg_ctl")
    data = folder / "data"

    def call(*argv):
        subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL, **who)

    call(INITDB, "-D", data, "-U", "roll", "--auth=trust", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    call(tool, "-D", data, "-w", "-o", options, "-l", folder / "log", "start")
    yield f"postgresql://roll@/postgres?host={folder}"
    call(tool, "-D", data, "-w", "-m", "fast", "stop")


def test_notes_in_postgresql(program, curl, postgresql):
    app = program("examples/postgresql_notes.py", DATABASE_URL=postgresql)
    assert curl("--data", "text='; DROP TABLE notes", f"{app.url}/notes").status == 201
    assert json.loads(curl(f"{app.url}/notes").body) == ["'; DROP TABLE notes"]
    fields = ("--data", "text=Bread", "--data", "text=Figs")
    assert curl("--request", "PUT", *fields, f"{app.url}/notes/all").status == 200
    assert json.loads(curl(f"{app.url}/notes").body) == ["Bread", "Figs"]
    assert app.stop() == 0


def test_tokens_open_every_path_but_the_public_ones(program, curl):
    url = program("examples/bearer.py").url
    assert curl(f"{url}/health").body == "fine"
    assert curl(f"{url}/orders").status == 401
    assert curl("-H", "Authorization: Bearer wrong", f"{url}/orders").status == 401
    assert curl("-H", "Authorization: Bearer t0ken", f"{url}/orders").body == "Orders of the shop"


def test_login_needs_the_right_password(program, curl, tmp_path):
    url = program("examples/login.py").url
    jar = ("--cookie-jar", str(tmp_path / "jar"), "--cookie", str(tmp_path / "jar"))
    assert curl("-d", "user=ada&password=wrong", f"{url}/login").status == 401
    assert curl(f"{url}/me").status == 401
    assert curl(*jar, "-d", "user=ada&password=engine", f"{url}/login").status == 200


def test_login_page_leads_back_to_the_page_that_was_wanted(program, curl):
    url = program("examples/login_page.py").url
    assert curl("-d", "a large upload", f"{url}/orders").status == 401
    login = curl(f"{url}/orders?page=2").headers["location"]
    wrong = curl("-d", "user=<ada>&password=no", f"{url}{login}")
    assert (wrong.status, "&lt;ada&gt;" in wrong.body) == (422, True)
    right = curl("-d", "user=ada&password=engine", f"{url}{login}")
    assert (right.status, right.headers["location"]) == (303, "/orders?page=2")
    cookie = right.headers["set-cookie"].partition(";")[0]
    assert curl("-b", cookie, f"{url}/orders?page=2").body == "Orders of ada, page 2"
    for elsewhere in ("//evil.example", "https://evil.example", "/%5Cevil.example", "/%09/x"):
        path = f"{url}/login?next={elsewhere}"
        answer = curl("-d", "user=ada&password=engine", path)
        assert answer.headers["location"] == "/"


def test_first_version_of_the_library_keeps_books(program, curl):
    url = program("examples/library_first.py").url
    book = '{"title": "Solaris", "author": "Stanislaw Lem"}'
    assert curl("-d", book, f"{url}/api/books").status == 201
    assert curl("-d", '{"title": 5}', f"{url}/api/books").status == 400
    assert "Solaris" in curl(f"{url}/api/books").body


def test_message_is_shown_once_after_a_redirect(program, curl):
    url = program("examples/flash.py").url
    kept = curl("-d", "note=<b>Bread", f"{url}/")
    assert (kept.status, kept.headers["location"]) == (303, "/")
    cookie = kept.headers["set-cookie"].partition(";")[0]
    page = curl("-b", cookie, f"{url}/")
    assert "“&lt;b&gt;Bread” is kept" in page.body
    assert "Max-Age=0" in page.headers["set-cookie"]  # the session is empty: no cookie is left


@pytest.mark.parametrize("name", ["validate_msgspec.py", "validate_pydantic.py"])
def test_invalid_json_is_refused(program, curl, name):
    url = program(f"examples/{name}").url
    path = re.search(r'@app\.route\("([^"{]*)"', (ROOT / "examples" / name).read_text())[1]
    assert curl("-d", "{}", f"{url}{path}").status in {400, 422}


def test_browsers_get_pages_for_errors_and_programs_json(program, curl):
    url = program("examples/error_pages.py").url
    page = curl("-H", "Accept: text/html", f"{url}/%3Cb%3E")
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page." in page.body
    page = curl("-H", "Accept: text/html", f"{url}/books/7")
    assert "There is no such page." in page.body
    page = curl("-H", "Accept: text/html", "--data", "", f"{url}/books/7")
    assert (page.status, page.headers["allow"]) == (405, "GET, HEAD")
    assert "Method Not Allowed" in page.body
    page = curl("-H", "Accept: text/html", f"{url}/broken")
    assert page.status == 500
    assert "s3cr3t" not in page.body
    answer = curl(f"{url}/broken")
    assert (answer.status, answer.body) == (500, '{"error":"Internal Server Error"}')


def test_pages_follow_each_other_to_the_last(program, curl):
    url = program("examples/pages.py").url
    titles, path = [], "/books"
    while path:
        answer = json.loads(curl(f"{url}{path}").body)
        titles += answer["books"]
        path = answer["next"]
    assert titles == [f"Book {number}" for number in range(1, 26)]
    for after in ("9" * 30, "-" + "9" * 30):
        assert curl(f"{url}/books?after={after}").status == 200
    assert curl(f"{url}/books?after=x").status == 400
