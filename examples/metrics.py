import os
from http import HTTPStatus

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from roll import HTTP_METHODS, Roll
from roll.extensions import observe, simple_server

LABELS = ["method", "route"]
REQUESTS = Counter("http_requests", "Requests that were answered", [*LABELS, "status"])
SECONDS = Histogram("http_request_seconds", "From the request to the end of its answer", LABELS)
RUNNING = Gauge("http_requests_running", "Requests under way", multiprocess_mode="livesum")
SOCKETS = Gauge("websockets_open", "Websockets that are open", multiprocess_mode="livesum")
SOCKET_SECONDS = Histogram(
    "websocket_seconds", "How long websockets were open", ["route"], buckets=[1, 60, 600, 3600]
)

app = Roll()


@app.listen("headers")
def begin(request):
    request.kwargs["running"] = True
    RUNNING.inc()


def end(request, response, size, seconds):
    if request.kwargs.pop("running", False):
        RUNNING.dec()
    # Clients may send any method and any path: labels have few values.
    method = request.method if request.method in HTTP_METHODS else "other"
    route = request.route_path or "none"
    REQUESTS.labels(method, route, response.status.value).inc()
    if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
        SOCKET_SECONDS.labels(route).observe(seconds)
    else:
        SECONDS.labels(method, route).observe(seconds)


observe(app, end)


@app.listen("websocket_connect")
def connected(ws):
    SOCKETS.inc()


@app.listen("websocket_disconnect")
def disconnected(ws):
    SOCKETS.dec()


@app.route("/metrics")
async def metrics(request, response):
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # several processes
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    response.headers["Content-Type"] = CONTENT_TYPE_LATEST
    response.body = generate_latest(registry)


@app.listen("shutdown")
def leave():
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        mark_process_dead(os.getpid())


@app.route("/users/{name}")
async def user(request, response, name):
    response.json = {"name": name}


@app.route("/echo", protocol="websocket")
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)


if __name__ == "__main__":
    simple_server(app)
