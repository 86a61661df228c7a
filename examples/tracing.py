from http import HTTPStatus

from opentelemetry import context, metrics, trace
from opentelemetry.propagate import extract
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from roll import Roll
from roll.extensions import observe, simple_server

# In production, the exporters of opentelemetry-exporter-otlp.
traces = TracerProvider()
traces.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(traces)
meters = MeterProvider([PeriodicExportingMetricReader(ConsoleMetricExporter())])
metrics.set_meter_provider(meters)

tracer = trace.get_tracer("myapp")
meter = metrics.get_meter("myapp")
seconds_taken = meter.create_histogram("http.server.request.duration", unit="s")
active = meter.create_up_down_counter("http.server.active_requests")

app = Roll()


@app.listen("headers")
def begin(request):
    fields = {name.lower(): value for name, value in request.headers.items()}
    span = tracer.start_span(request.method, extract(fields), kind=SpanKind.SERVER)
    span.set_attribute("url.path", request.path)
    request.kwargs["span"] = span
    active.add(1)
    # Each request has a context of its own: what the handler starts is below this span.
    context.attach(trace.set_span_in_context(span))


@app.listen("error")
def failed(request, error):
    span = request.kwargs.get("span")
    if span is not None and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.record_exception(error.__context__ or error)
        span.set_status(StatusCode.ERROR)


def end(request, response, size, seconds):
    span = request.kwargs.pop("span", None)
    if span is None:  # refused before it was a request
        return
    attributes = {
        "http.request.method": request.method,
        "http.response.status_code": response.status.value,
        "http.route": request.route_path or "",
    }
    span.update_name(f"{request.method} {request.route_path or ''}".rstrip())
    span.set_attributes(attributes)
    span.end()
    seconds_taken.record(seconds, attributes)
    active.add(-1)


observe(app, end)


@app.listen("shutdown")
def flush():
    traces.shutdown()
    meters.shutdown()


@app.route("/users/{name}")
async def user(request, response, name):
    with tracer.start_as_current_span("load user"):
        response.json = {"name": name, "trace": request.trace and request.trace.trace_id}


@app.route("/fails")
async def fails(request, response):
    raise OSError("no database")


@app.route("/echo", protocol="websocket")
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)


if __name__ == "__main__":
    simple_server(app)
