"""Each field costs Roll time in proportion to its length."""

import time

import pytest

from roll.extensions import (
    access_log,
    content_negociation,
    cors,
    csrf,
    logger,
    options,
    proxy_headers,
    request_ids,
    sessions,
    static,
)
from roll_http import Limits

STEPS = (1, 4, 16)
SHORTEST = 4 * 1024
"""The bytes of a field at the first step; the last is twice the head that a server takes."""

MARGIN = 4
"""How much more than in proportion the time may grow: measured once, on a machine at work."""

FLOOR = 0.003
"""Seconds that any request may take: those of the first step are little more than noise."""

CEILING = 0.05 * MARGIN
"""Seconds that a whole head may take, with the margin of a slow machine."""

# Each field that `roll` parses, with what separates its parts, and what looks like one of them.
FIELDS = {
    "Accept": [
        ",",
        ";",
        "/",
        "*",
        "*/*,",
        "q",
        "=",
        ";q=",
        "a/b;q=0.1,",
        "a/",
        "\t",
        '"',
        '"\\',
        "1.0",
    ],
    "Range": ["=", "-", ",", "bytes=", "0-,", "0-0,", "9", "bytes=-", "\t", "0"],
    "Origin": [",", "/", ":", "https://", "a.", "null "],
    "If-None-Match": [",", '"', "W/", "*", "*,", 'W/"', '"",', 'W/"a",', "\t", "\\"],
    "If-Match": [",", '"', "W/", "*", "*,", 'W/"', '"",', 'W/"a",', "\t", "\\"],
    "If-Range": [",", '"', "W/", "*", " ", ":", "0", "Mon, ", "Mon, 0", "\t"],
    "If-Modified-Since": [",", " ", ":", "0", "-", "Mon, ", "Jan ", "GMT", "00:", "Mon, 01 ", "+"],
    "If-Unmodified-Since": [",", " ", ":", "0", "-", "Mon, ", "Jan ", "GMT", "00:", "Sunday, "],
    "Content-Type": [
        ";",
        "/",
        "=",
        ",",
        '"',
        "multipart/form-data;",
        "\t",
        '\\"',
        "a/",
        "a,",
        ",a",
    ],
    "Referer": ["/", "%", "?", "#", ":"],
    "Upgrade": [",", "/", " ", "websocket,"],
}

CASES = [(name, part) for name, parts in FIELDS.items() for part in parts]


@pytest.fixture
def app(app, tmp_path):
    """An application with all that reads headers, in front of a file."""
    app.limits = Limits(head=2**20, request_line=2**20)
    (tmp_path / "file").write_text("content")
    cors(app, origin=["https://example.org"])
    logger(app)
    options(app)
    content_negociation(app)
    static(app, root=tmp_path, accepts="text/html")
    app.route("/", methods=["GET", "POST"])(lambda request, response: request.form)
    return app


@pytest.fixture
def measure(client):
    """Return the least CPU time of equal requests, because other processes only slow them."""

    async def measure(path, headers):
        times = []
        for _ in range(3):
            began = time.process_time()
            response = await client.get(path, headers=headers)
            times.append(time.process_time() - began)
            assert response.status < 500
        return min(times)

    return measure


def assert_in_proportion(times):
    first, *others = times
    for step, taken in zip(STEPS[1:], others, strict=True):
        assert taken < FLOOR + MARGIN * step * first, times
    assert times[-1] < CEILING, times


@pytest.mark.parametrize(("name", "part"), CASES, ids=str)
async def test_a_field_takes_time_in_proportion(measure, name, part):
    times = []
    for step in STEPS:
        value = f"x{part * (SHORTEST * step // len(part))}x"
        both = {name: value, "Range": value if name == "Range" else "bytes=0-1"}
        times.append(await measure("/static/file", {"Accept": "text/html"} | both))
    assert_in_proportion(times)


@pytest.mark.parametrize(
    "part", [",", ";", "*/*", "a/b,", "text/html;q=0,", '"', '",', '\\"', '"\\",', 'a;b=",",']
)
async def test_many_types_may_be_offered(app, measure, part):
    app.route("/many", accepts=[f"a/b{number}" for number in range(1000)])(print)
    times = [
        await measure("/many", {"Accept": part * (SHORTEST * step // len(part))}) for step in STEPS
    ]
    assert_in_proportion(times)


@pytest.mark.parametrize(
    "part",
    ["/", "./", "../", "a/", "a/../", "%2F", "%2E%2E/", "%", "\\", "a", " ", "%00", "%ED%B2%80"],
)
async def test_a_path_of_a_file_takes_time_in_proportion(measure, part):
    times = [
        await measure(f"/static/{part * (SHORTEST * step // len(part))}", {"Accept": "text/html"})
        for step in STEPS
    ]
    assert_in_proportion(times)


@pytest.mark.parametrize(
    "part", [",", '"', '\\"', '",', "a,", ",a", "a/", ", ", ",\t", ", a/b", "\\"]
)
@pytest.mark.parametrize("start", ["", 'x, y; z="', "multipart/form-data; boundary="])
async def test_the_content_type_of_a_form_takes_time_in_proportion(app, measure, start, part):
    app.route("/form")(lambda request, response: setattr(response, "json", request.form))
    times = []
    for step in STEPS:
        value = f"{start}{part * (SHORTEST * step // len(part))}x"
        times.append(await measure("/form", {"Content-Type": value, "Accept": "text/html"}))
    assert_in_proportion(times)


ADDRESSES = ["::1,", "[::1],", "[::1]:1,", "127.0.0.1,", "10.0.0.1:1,", "1::,", "unix:,", "_a,"]
OF_PROXIES = {
    "X-Forwarded-For": [*ADDRESSES, ",", ":", "[", "unknown,", "a"],
    "X-Forwarded-Proto": ["https,", ",", "h"],
    "X-Forwarded-Host": ["a.b,", ",", "a.", "[::1]:1,", ":"],
    "X-Forwarded-Port": ["1,", ",", "1"],
    "X-Forwarded-Prefix": ["/a", "/", "/a,", ",", "%"],
    "Forwarded": ['for="[::1]",', "for=127.0.0.1,", "for=a;", "a=b;", ",", '"\\a', "a=", "="],
    "X-Request-ID": ["a", "-", ","],
    "Traceparent": ["00-", "0", "-"],
    "Tracestate": ["a=b,", ","],
    "Cookie": ["a=b;", "session=a.b.c;", "session=" + "a." * 9, ";", "=", '"'],
    "User-Agent": ["a", '"', "\\", "\xe9"],
}
PROXY_CASES = [(name, part) for name, parts in OF_PROXIES.items() for part in parts]
NETWORKS = [f"10.{number // 256}.{number % 256}.0/24" for number in range(400)]


@pytest.fixture
def behind_proxies(app, tmp_path):
    """An application that reads what proxies say, and trusts many of them."""
    proxy_headers(app, trusted=[*NETWORKS, "127.0.0.0/8", "::1", "1::"])
    request_ids(app)
    access_log(app, tmp_path / "log", "json")
    csrf(app)
    sessions(app, "a secret of many characters")

    @app.route("/used", methods=["GET"])
    async def used(request, response):
        response.json = [dict(request.session), request.id, str(request.trace)]


@pytest.mark.parametrize(("name", "part"), PROXY_CASES, ids=str)
async def test_a_field_of_proxies_takes_time_in_proportion(behind_proxies, measure, name, part):
    times = []
    for step in STEPS:
        value = part * (SHORTEST * step // len(part))
        # With as many values of other lists.
        more = {"X-Forwarded-Host": "a," * 5000} if name == "X-Forwarded-For" else {}
        times.append(await measure("/used", {"Accept": "text/html", name: value, **more}))
    assert_in_proportion(times)
