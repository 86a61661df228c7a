"""A server that streams words as events, as those of language models do."""

import asyncio
import json
import sys

from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/v1/chat/completions", methods=["POST"])
async def answer(request, response):
    question = request.json["messages"][-1]["content"]

    async def events():
        try:
            for word in ["You ", "ask: ", question]:
                yield json.dumps({"choices": [{"delta": {"content": word}}]})
            if question == "forever":
                await asyncio.Event().wait()
            yield "[DONE]"
        finally:
            sys.stderr.write("The model has stopped\n")

    response.sse = events()


if __name__ == "__main__":
    simple_server(app)
