import os

from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/videos", methods=["POST"], lazy_body=True, max_body=4 * 2**30)
async def receive(request, response):
    await request.load_form()
    video = request.files.get("video")
    size = video.seek(0, os.SEEK_END)
    response.body = f"{request.form.get('title')}: {video.filename}, {size} bytes"


if __name__ == "__main__":
    simple_server(app)
