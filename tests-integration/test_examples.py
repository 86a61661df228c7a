"""Every documented example, run as printed in a process of its own, and asked with curl."""

import json
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
FORM = "application/x-www-form-urlencoded"


def test_first_application_answers_json_and_text(example, curl):
    url = example("hello.py").url
    answer = curl(f"{url}/")
    assert answer.body == '{"hello":"world"}'
    assert answer.headers["content-length"] == "17"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    answer = curl(f"{url}/hello/world")
    assert (answer.status, answer.body) == (200, "Hello world")


def test_first_application_ends_politely_on_ctrl_c(example, curl):
    program = example("hello.py")
    curl(f"{program.url}/")
    assert program.stop() == 0
    assert "Bye." in program.output[-1]


def test_form_page_and_its_answer(example, curl):
    url = example("form.py").url
    assert '<form action="/hello" method="post">' in curl(f"{url}/").body
    answer = curl("--data", "name=Ada&age=36", f"{url}/hello")
    assert answer.body == "Hello Ada, you will be 37"


@pytest.mark.parametrize(
    ("data", "error"), [("age=36", "Missing 'name' key"), ("name=A&age=x", "")]
)
def test_bad_form_is_a_400(example, curl, data, error):
    answer = curl("--data", data, f"{example('form.py').url}/hello")
    assert answer.status == 400
    assert error in answer.body


def test_upload_of_a_file(example, curl, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("one, two, three")
    url = example("upload.py").url
    answer = curl("--form", "title=Notes", "--form", f"document=@{notes}", f"{url}/upload")
    assert json.loads(answer.body) == {
        "title": "Notes",
        "filename": "notes.txt",
        "content_type": "text/plain",
        "size": 15,
    }


def test_logger_writes_a_line_a_request(example, curl):
    program = example("request_log.py")
    curl(f"{program.url}/?page=2")
    program.wait_for(r"GET /\?page=2")


def test_startup_event_comes_before_the_first_request(example, curl):
    answer = curl(f"{example('startup.py').url}/books")
    assert json.loads(answer.body) == ["Dune", "Emma", "Ubik"]


def test_http_error(example, curl):
    url = example("http_error.py").url
    answer = curl(f"{url}/bridge")
    assert (answer.status, answer.body) == (403, "Run, you foo(l)!")
    assert answer.headers["content-length"] == "16"
    answer = curl("--header", "Accept: application/json", f"{url}/bridge")
    assert json.loads(answer.body) == {"status": 403, "message": "Run, you foo(l)!"}


def test_json_in_and_out(example, curl):
    url = example("json_api.py").url
    answer = curl("--data", '{"numbers": [1, 2, 3]}', f"{url}/sum")
    assert answer.body == '{"numbers":[1,2,3],"sum":6}'
    answer = curl("--data", "{", f"{url}/sum")
    assert (answer.status, answer.body) == (400, "Unparsable JSON body")


def test_html_template(example, curl):
    url = example("html_template.py").url
    answer = curl(f"{url}/hello/Ada")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Hello Ada!</h1>" in answer.body
    assert "&lt;b&gt;" in curl(f"{url}/hello/%3Cb%3E").body


def test_data_kept_in_the_request(example, curl):
    url = example("request_data.py").url
    assert curl("--header", "X-Token: s3cr3t", f"{url}/me").body == "ada"
    assert curl(f"{url}/me").status == 401


def test_cookies_come_back(example, curl, tmp_path):
    url, jar = example("cookies.py").url, str(tmp_path / "jar")
    keep = ("--cookie", jar, "--cookie-jar", jar)
    sent = curl(*keep, f"{url}/login/ada").headers["set-cookie"]
    assert sent == "user=ada; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
    assert curl(*keep, f"{url}/me").body == "ada"
    curl(*keep, f"{url}/logout")
    assert curl(*keep, f"{url}/me").body == "nobody"


def test_query(example, curl):
    url = example("query.py").url
    answer = curl(f"{url}/search?word=roll&word=bread&page=2&exact=yes&max_price=9.5")
    assert json.loads(answer.body) == {
        "words": ["roll", "bread"],
        "page": 2,
        "exact": True,
        "max_price": 9.5,
    }
    answer = curl(f"{url}/search?word=roll")
    assert answer.body == '{"words":["roll"],"page":1,"exact":false,"max_price":null}'
    assert curl(f"{url}/search").status == 400
    assert curl(f"{url}/search?word=roll&page=two").status == 400


def test_class_view(example, curl):
    url = example("class_view.py").url
    assert curl("--data", '"bread"', f"{url}/notes").status == 201
    assert curl(f"{url}/notes").body == '["bread"]'
    answer = curl("--request", "DELETE", f"{url}/notes")
    assert answer.status == 405
    assert {"GET", "POST"} <= {verb.strip() for verb in answer.headers["allow"].split(",")}


def test_inherited_class_view(example, curl):
    url = example("class_view_inherited.py").url
    assert curl(f"{url}/colours").body == '["red","green","blue"]'
    assert curl("--data", '"pear"', f"{url}/fruits").status == 200
    assert curl(f"{url}/fruits").body == '["fig","pear"]'
    assert curl("--data", '"pink"', f"{url}/colours").status == 405


def test_extension_with_a_value(example, curl):
    url = example("cors.py").url
    for path in ("/", "/nowhere"):
        answer = curl(url + path)
        assert answer.headers["access-control-allow-origin"] == "https://example.org"


def test_content_negotiation(example, curl):
    url = f"{example('content_negotiation.py').url}/weather"
    assert curl("--header", "Accept: text/html", url).body == "<h1>Sunny</h1>"
    assert curl("--header", "Accept: application/json", url).body == '{"weather":"sunny"}'
    assert curl("--header", "Accept: image/png", url).status == 406
    assert curl("--header", "Accept:", url).status == 406


def test_query_of_our_own(example, curl):
    url = example("query_date.py").url
    answer = curl(f"{url}/hello/?year=2017&month=9&day=20")
    assert (answer.status, answer.body) == (200, "2017-09-20")
    assert answer.headers["content-length"] == "10"
    for bad in ("year=2017&month=13&day=1", f"year={'9' * 30}&month=1&day=1", "year=2017"):
        assert curl(f"{url}/hello/?{bad}").status == 400


def test_custom_event(example, curl):
    assert curl(f"{example('custom_events.py').url}/types").body == '["uuid"]'


def test_decorator_protects_a_view(example, curl):
    url = f"{example('auth.py').url}/hello/"
    assert curl("--user", "user:pwd", url).body == "Welcome in"
    refused = [(), ("--user", "user:wrong"), ("--header", "Authorization: Basic not-base64")]
    for args in refused:
        answer = curl(*args, url)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Basic")


def test_lazy_upload(example, curl, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(bytes(3_000_000))
    url = f"{example('lazy_upload.py').url}/images"
    send = ("--data-binary", f"@{image}")
    answer = curl(*send, "--header", "Authorization: Dummy OK", url)
    assert json.loads(answer.body) == {"received": 3_000_000}
    assert curl(*send, url).status == 401


def test_lazy_form(example, curl, tmp_path):
    video = tmp_path / "cat.mp4"
    video.write_bytes(b"\r\nmeow" * 500_000)
    url = f"{example('lazy_form.py').url}/videos"
    answer = curl("--form", "title=Cat", "--form", f"video=@{video}", url)
    assert answer.body == "Cat: cat.mp4, 3000000 bytes"


def test_chunked_response(example, curl):
    answer = curl(f"{example('chunked.py').url}/countdown")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in answer.headers
    assert answer.body == "3...\n2...\n1...\nLift-off!\n"


def test_chunked_file(example, curl):
    answer = curl(f"{example('chunked_file.py').url}/song")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["content-disposition"] == "attachment; filename=song.mp3"
    assert answer.body == (EXAMPLES / "chunked_file.py").read_text()


def test_another_json_library(example, curl):
    url = f"{example('fast_json.py').url}/echo"
    answer = curl("--data", '{"é": [1, 2.5, null]}', url)
    assert answer.body == '{"é":[1,2.5,null]}'
    assert curl("--data", "{", url).status == 400


def test_work_after_the_answer(example, curl):
    program = example("after_answer.py")
    assert curl(f"{program.url}/count").body == "0 before you"
    assert curl(f"{program.url}/count").body == "1 before you"
    answer = curl("--data", '{"mail": "ada@example.org"}', f"{program.url}/join")
    assert (answer.status, answer.body) == (202, "Welcome")
    assert program.stop() == 0  # once the mail is sent
    assert program.output[-2:] == ["Mail to ada@example.org\n", "Bye.\n"]


def test_a_database_is_open_while_the_application_runs(example, curl):
    program = example("lifespan.py")
    assert curl(f"{program.url}/books").body == '["Dune"]'
    assert program.stop() == 0
    assert program.output[-2:] == ["Bye.\n", "The database is closed\n"]


def test_headers_are_read_in_upper_case(example, curl):
    url = example("headers.py").url
    answer = curl("-A", "me", "-H", "accept-language: de", "-H", 'If-None-Match: "1"', f"{url}/")
    assert json.loads(answer.body) == {"agent": "me", "language": "de", "asks again": True}
    answer = curl("-H", "User-Agent;", f"{url}/")
    assert json.loads(answer.body) == {"agent": "", "language": "en", "asks again": False}
    answer = curl("-H", "User-Agent:", f"{url}/")
    assert json.loads(answer.body)["agent"] is None


def test_static_files(example, curl):
    url = example("static_site.py").url
    home = curl(f"{url}/")
    assert home.body == (EXAMPLES / "public/index.html").read_text()
    assert home.headers["content-type"].startswith("text/html")
    assert curl(f"{url}/style.css").headers["content-type"].startswith("text/css")
    assert curl(f"{url}/missing.css").status == 404
    assert curl("--path-as-is", f"{url}/../static_site.py").status == 400


def test_named_url(example, curl):
    url = example("named_url.py").url
    assert curl(f"{url}/newest").headers["location"] == "/books/9780441013593"
    assert curl("--location", f"{url}/newest").body == "Book 9780441013593"


def test_every_example_is_tested():
    """A new example needs a test that names it, here or in a neighbour."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    names = {path.name for path in EXAMPLES.glob("*.py") if not path.name.startswith("test_")}
    named = set(re.findall(r"""["'/](\w+\.py)["']""", tests))
    assert names - named == set()
