import asyncio

from roll import Roll
from roll.extensions import simple_server

app = Roll()
app["visits"] = 0


async def send_welcome(mail):
    await asyncio.sleep(0.1)  # stands for what takes long
    print(f"Mail to {mail}", flush=True)


@app.route("/join", methods=["POST"])
async def join(request, response):
    app.create_task(send_welcome(request.json["mail"]), name="welcome")
    response.status = 202
    response.body = "Welcome"


@app.route("/count")
async def count(request, response):
    response.body = f"{app['visits']} before you"

    @response.after
    def add():
        app["visits"] += 1


@app.listen("task_error")
async def on_task_error(task, error):
    print(f"{task.get_name()}: {error}", flush=True)


if __name__ == "__main__":
    simple_server(app)
