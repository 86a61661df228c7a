from pathlib import Path

from aiofile import AIOFile, Reader

from roll import Roll
from roll.extensions import simple_server

app = Roll()
SONG = Path(__file__)  # any file works


async def read_file(path):
    async with AIOFile(path, "rb") as file:
        async for data in Reader(file, chunk_size=4096):
            yield data


@app.route("/song")
async def song(request, response):
    response.headers["Content-Disposition"] = "attachment; filename=song.mp3"
    response.body = read_file(SONG)


if __name__ == "__main__":
    simple_server(app)
