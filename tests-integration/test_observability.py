"""The examples of docs/observability.md, with the real libraries."""

import json
import signal
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

EXAMPLES = Path(__file__).parents[1] / "examples"
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def samples(text):
    """The values of metrics, by their names and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def ask_for_all(url, curl):
    for path in ("/users/ada", "/users/bob", "/missing/1", "/missing/2"):
        curl(f"{url}{path}")
    curl("--request", "FROBNICATE", f"{url}/users/ada")
    curl("--header", "Host: a\tb", f"{url}/users/ada")  # refused before it is a request


def ask(url, curl):
    answer = curl(f"{url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return answer.body


def test_metrics_are_counted_by_route(example, curl):
    url = example("metrics.py").url
    ask_for_all(url, curl)
    with connect(f"{url.replace('http', 'ws')}/echo") as ws:
        ws.send("x")
        ws.recv()
        during = samples(curl(f"{url}/metrics").body)
    found = {}
    while ("websocket_seconds_count", "/echo") not in found:  # the server notices its end later
        found = samples(ask(url, curl))
    assert found["http_requests_total", "GET", "/users/{name}", "200"] == 2
    assert found["http_requests_total", "GET", "none", "404"] == 2
    assert found["http_requests_total", "other", "none", "400"] == 1
    others = {key: found[key] for key in found if key[:2] == ("http_requests_total", "other")}
    assert sum(others.values()) == 2
    assert found["http_request_seconds_count", "GET", "/users/{name}"] == 2
    assert 0 < found["http_request_seconds_sum", "GET", "/users/{name}"] < 2
    assert found["http_requests_total", "GET", "/echo", "101"] == 1
    assert found["websocket_seconds_count", "/echo"] == 1
    assert ("http_request_seconds_count", "GET", "/echo") not in found
    assert (during["websockets_open",], found["websockets_open",]) == (1, 0)
    assert (during["http_requests_running",], found["http_requests_running",]) == (2, 1)


def test_metrics_of_several_processes_are_added(run, curl, tmp_path):
    pytest.importorskip("gunicorn")
    port = free_port()
    program = run(
        *(sys.executable, "-m", "roll", "run", "metrics.py", "--workers", "2"),
        *("--port", str(port), "--access-log", "off"),
        cwd=EXAMPLES,
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path),
    )
    program.wait_for("Booting worker")
    program.wait_for("Booting worker")
    url = f"http://127.0.0.1:{port}"
    for _ in range(30):
        assert curl("--retry", "5", "--retry-connrefused", f"{url}/users/ada").status == 200
    found = samples(curl(f"{url}/metrics").body)
    assert found["http_requests_total", "GET", "/users/{name}", "200"] == 30
    assert found["http_requests_running",] == 1
    assert len(list(tmp_path.glob("gauge_livesum_*"))) > 0
    program.stop(signal.SIGTERM)
    assert list(tmp_path.glob("gauge_livesum_*")) == []


def free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def objects(text):
    """The JSON objects that stand one after another in a text."""
    decoder, at = json.JSONDecoder(), 0
    while (at := text.find("{", at)) >= 0:
        found, at = decoder.raw_decode(text, at)
        yield found


def test_spans_join_the_trace_of_the_client(example, curl):
    program = example("tracing.py")
    parent = f"traceparent: 00-{TRACE_ID}-{SPAN_ID}-01"
    answer = curl("--header", parent, f"{program.url}/users/ada")
    assert json.loads(answer.body) == {"name": "ada", "trace": TRACE_ID}
    assert curl(f"{program.url}/fails").status == 500
    curl(f"{program.url}/missing")
    with connect(f"{program.url.replace('http', 'ws')}/echo") as ws:
        ws.send("x")
        ws.recv()
    program.stop(signal.SIGTERM)
    written = list(objects(program_output(program)))
    spans = {one["name"]: one for one in written if "context" in one}
    assert set(spans) == {"GET /users/{name}", "load user", "GET /fails", "GET", "GET /echo"}
    server, inner = spans["GET /users/{name}"], spans["load user"]
    assert server["context"]["trace_id"] == inner["context"]["trace_id"] == f"0x{TRACE_ID}"
    assert server["parent_id"] == f"0x{SPAN_ID}"
    assert inner["parent_id"] == server["context"]["span_id"]
    assert server["attributes"]["http.route"] == "/users/{name}"
    failed = spans["GET /fails"]
    assert failed["parent_id"] is None  # nothing is left of the request before
    assert failed["status"]["status_code"] == "ERROR"
    assert failed["events"][0]["attributes"]["exception.message"] == "no database"
    assert spans["GET"]["attributes"]["http.response.status_code"] == 404
    assert spans["GET /echo"]["attributes"]["http.response.status_code"] == 101
    check_measures(written)


def check_measures(written):
    (measured,) = [one for one in written if "resource_metrics" in one]
    (scope,) = measured["resource_metrics"][0]["scope_metrics"]
    metrics = {one["name"]: one["data"]["data_points"] for one in scope["metrics"]}
    counts = {
        point["attributes"]["http.route"]: point["count"]
        for point in metrics["http.server.request.duration"]
    }
    assert counts == {"/users/{name}": 1, "/fails": 1, "": 1, "/echo": 1}
    assert [point["value"] for point in metrics["http.server.active_requests"]] == [0]


def program_output(program):
    """The output without the lines of the log."""
    lines = "".join(program.output).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("{"))
    return "\n".join(lines[start:])


def test_lines_of_the_log_have_the_id_of_their_request(example, curl):
    program = example("structured_logs.py")
    answers = [
        curl("--header", f"X-Request-ID: id-{number}", f"{program.url}/orders/{number}")
        for number in range(3)
    ]
    assert [answer.headers["x-request-id"] for answer in answers] == ["id-0", "id-1", "id-2"]
    program.stop(signal.SIGTERM)
    lines = [json.loads(line) for line in program.output if line.startswith("{")]
    by_id = {
        number: [line for line in lines if line.get("request_id") == f"id-{number}"]
        for number in range(3)
    }
    for number, found in by_id.items():
        messages = {line["message"] for line in found if "message" in line}
        assert f"Order {number} is looked up" in messages
        assert len([line for line in found if "status" in line]) == 1
    assert len(by_id[0]) == 3
    (error,) = [line for line in by_id[0] if "traceback" in line]
    assert error["route"] == "/orders/{number:int}"
    assert "ValueError: no such order" in error["traceback"]
