import asyncio

from roll import Roll, ServerSentEvent
from roll.extensions import simple_server

PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<title>Ask</title>
<style>
    body { font: 1.1rem/1.5 sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }
    form { display: flex; gap: .5rem }
    input { flex: 1; font: inherit; padding: .4rem }
    button { font: inherit }
</style>
<form>
    <input name="question" placeholder="Ask something" required autofocus>
    <button>Ask</button>
    <button type="button" id="stop" disabled>Stop</button>
</form>
<p id="answer"></p>
<script>
    const form = document.querySelector("form")
    const stop = document.querySelector("#stop")
    const answer = document.querySelector("#answer")
    let source

    function end() {
        source?.close()
        stop.disabled = true
    }

    form.onsubmit = event => {
        event.preventDefault()
        end()
        answer.textContent = ""
        stop.disabled = false
        source = new EventSource("/events?" + new URLSearchParams(new FormData(form)))
        source.onmessage = event => { answer.textContent += event.data }
        source.addEventListener("end", end)
        source.onerror = end  // else it would ask again
    }
    stop.onclick = end
</script>
"""

ANSWER = "There is a lot to say about this, word by word, as long as you let me talk. " * 5

app = Roll()


async def tokens(question):
    """Answer as a language model would: this is where you call yours."""
    for word in f"You ask: {question} {ANSWER}".split():
        yield f"{word} "
        await asyncio.sleep(0.05)


@app.route("/")
async def page(request, response):
    response.html = PAGE


@app.route("/events")
async def answer(request, response):
    question = request.query.get("question")

    async def events():
        count = 0
        try:
            async for token in tokens(question):
                yield token
                count += 1
            yield ServerSentEvent(event="end")
        finally:  # also when the client stops: no token is made that nobody reads
            print(f"{count} tokens made", flush=True)

    response.sse = events()


if __name__ == "__main__":
    simple_server(app)
