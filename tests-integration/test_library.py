"""The tutorial's application, run as its chapters say: by the command, gunicorn, a browser."""

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
EMMA = '{"title": "Emma", "author": "Jane Austen"}'
PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def library(run, tmp_path):
    program = run(
        *(sys.executable, "-m", "roll", "run", "library.app:app", "--port", "0"),
        cwd=EXAMPLES,
        LIBRARY_DATABASE=str(tmp_path / "books.db"),
    )
    program.wait_for_url(r"(http://127\.0\.0\.1:\d+)")
    return program


def test_books_are_kept_when_the_server_starts_again(library, run, curl, tmp_path):
    answer = curl("--data", EMMA, f"{library.url}/api/books")
    assert answer.status == 201
    assert library.stop() == 0
    again = run(
        *(sys.executable, "-m", "roll", "run", "library.app:app", "--port", "0"),
        cwd=EXAMPLES,
        LIBRARY_DATABASE=str(tmp_path / "books.db"),
    )
    again.wait_for_url(r"(http://127\.0\.0\.1:\d+)")
    assert json.loads(curl(f"{again.url}/api/books").body)[0]["title"] == "Emma"


def test_uploaded_cover_is_served(library, curl, tmp_path):
    cover = tmp_path / "cover.png"
    cover.write_bytes(PNG)
    fields = ("--form", "title=Emma", "--form", "author=Jane Austen", "--form", f"cover=@{cover}")
    answer = curl(*fields, f"{library.url}/books")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert curl("--head", f"{library.url}/covers/1").headers["content-type"] == "image/png"
    assert '<img src="/covers/1"' in curl(f"{library.url}/").body


def test_two_workers_of_gunicorn_share_the_database(run, curl, tmp_path):
    program = run(
        *(sys.executable, "-m", "gunicorn", "library.app:app", "--bind", "127.0.0.1:0"),
        *("--worker-class", "roll.worker.Worker", "--workers", "2"),
        cwd=EXAMPLES,
        LIBRARY_DATABASE=str(tmp_path / "books.db"),
    )
    url = program.wait_for(r"Listening at: (http://\S+)")[1]
    for number in range(4):  # on a new connection each, so that either worker has some
        assert curl("--data", EMMA, f"{url}/api/books").status == 201
        assert len(json.loads(curl(f"{url}/api/books").body)) == number + 1
    assert program.stop(signal.SIGTERM) == 0


def test_check_finds_no_problem(run):
    program = run(sys.executable, "-m", "roll", "check", "library.app:app", cwd=EXAMPLES)
    assert program.wait() == 0, "".join(program.output)


def test_open_page_shows_a_new_book(library, browser, curl):
    browser.open(library.url)
    browser.wait_for("source.readyState === 1")
    curl("--data", EMMA.replace("Emma", "<b>Emma"), f"{library.url}/api/books")
    assert browser.wait_for("document.querySelector('#books li')?.textContent") == (
        "<b>Emma, by Jane Austen"
    )
    assert library.stop() == 0


def test_unit_of_systemd_is_understood(tmp_path):
    page = (EXAMPLES.parent / "docs/tutorial-library.md").read_text()
    unit = re.search(r"^```ini\n(\[Unit\].*?)^```$", page, re.MULTILINE | re.DOTALL)[1]
    assert "\nRestart=on-failure\n" in unit
    database = re.search(r"LIBRARY_DATABASE=(\S+)/", unit)[1]
    assert database == "/var/lib/" + re.search(r"StateDirectory=(\S+)", unit)[1]
    gunicorn = shutil.which("gunicorn")
    unit = re.sub(r"/srv/library/venv/bin/gunicorn", gunicorn, unit)
    (tmp_path / "library.service").write_text(unit)
    verify = shutil.which("systemd-analyze") or pytest.skip("systemd is not installed")
    command = [verify, "verify", "--man=no", tmp_path / "library.service"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
