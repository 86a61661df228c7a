import tempfile
from pathlib import Path

from roll import HttpError, Roll
from roll.extensions import simple_server

PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<title>Files</title>
<style>
    body { font: 1.1rem/1.5 sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }
    progress { width: 100% }
</style>
<input type="file">
<progress value="0" max="1"></progress>
<ul></ul>
<script>
    const list = document.querySelector("ul")
    const progress = document.querySelector("progress")
    const input = document.querySelector("input")

    async function show() {
        const names = await (await fetch("/files")).json()
        list.replaceChildren(...names.map(name => {
            const link = document.createElement("a")
            link.href = "/files/" + encodeURIComponent(name)
            link.textContent = name
            const item = document.createElement("li")
            item.append(link)
            return item
        }))
    }

    input.onchange = () => {
        const [file] = input.files
        const request = new XMLHttpRequest()  // fetch tells nothing of its progress
        request.upload.onprogress = event => { progress.value = event.loaded / event.total }
        request.onload = show
        request.open("PUT", "/files/" + encodeURIComponent(file.name))
        request.send(file)
    }
    show()
</script>
"""

FILES = Path(tempfile.mkdtemp())

app = Roll()


@app.route("/")
async def page(request, response):
    response.html = PAGE


@app.route("/files")
def list_files(request, response):
    names = [path.name for path in FILES.iterdir() if not path.name.startswith(".")]
    response.json = sorted(names)


@app.route("/files/{name}", methods=["PUT"], lazy_body=True, max_body=2**30)
async def upload(request, response, name):
    if name.startswith(".") or "\0" in name:
        raise HttpError(400, "Files have another name here")
    # Until it is whole, the file has a name that is not served. Memory holds only a part of it.
    with tempfile.NamedTemporaryFile(dir=FILES, prefix=".", delete=False) as file:
        try:
            async for chunk in request:
                file.write(chunk)
        except BaseException:  # the client has gone, or the disk is full
            Path(file.name).unlink()
            raise
    Path(file.name).rename(FILES / name)
    response.status = 201


@app.route("/files/{name}")
async def download(request, response, name):
    # A download that was cut goes on where it was: `curl -C - -O`, or the browser's "Resume".
    response.send_file(name, filename=name, root=FILES)


if __name__ == "__main__":
    simple_server(app)
