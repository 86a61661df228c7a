import json
import os

import httpx

from roll import HttpError, Roll, ServerSentEvent
from roll.extensions import simple_server

app = Roll()
MODEL = os.environ.get("MODEL_URL", "http://127.0.0.1:11434/v1/chat/completions")


@app.lifespan
async def http_client(app):
    patience = httpx.Timeout(10, read=120)  # seconds; a model may think before it speaks
    async with httpx.AsyncClient(timeout=patience) as app["http"]:
        yield


async def words(question):
    """Yield the words of the model as it makes them."""
    asked = {
        "model": "default",
        "stream": True,
        "messages": [{"role": "user", "content": question}],
    }
    async with app["http"].stream("POST", MODEL, json=asked) as answer:
        if answer.is_error:
            raise HttpError(502, "The model does not answer")
        async for line in answer.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            delta = json.loads(line.removeprefix("data: "))["choices"][0]["delta"]
            if word := delta.get("content"):
                yield word


@app.route("/ask")
async def ask(request, response):
    question = request.query.get("question")

    async def events():
        async for word in words(question):
            yield ServerSentEvent(word)
        yield ServerSentEvent("", event="end")

    response.sse = events()


if __name__ == "__main__":
    simple_server(app)
