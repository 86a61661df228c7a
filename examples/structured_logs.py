import json
import logging
import sys
from contextvars import ContextVar

from roll import Roll
from roll.extensions import access_log, request_ids, simple_server

current = ContextVar("current request", default=None)


class AsJSON(logging.Formatter):
    def format(self, record):
        request = current.get()
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request is not None:
            line |= {"request_id": request.id, "route": request.route_path}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(AsJSON())
logging.basicConfig(level=logging.INFO, handlers=[handler])
log = logging.getLogger("myapp")

app = Roll()


@app.listen("headers")
def remember(request):
    # Each request has a context of its own, and its tasks have a copy of it.
    current.set(request)


request_ids(app)
access_log(app, format="json")


@app.route("/orders/{number:int}")
async def order(request, response, number: int):
    log.info("Order %s is looked up", number)
    if number == 0:
        raise ValueError("no such order")
    response.json = {"number": number}


if __name__ == "__main__":
    simple_server(app)
