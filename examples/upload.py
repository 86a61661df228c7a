from roll import Roll
from roll.extensions import simple_server

app = Roll()


@app.route("/upload", methods=["POST"])
async def upload(request, response):
    document = request.files.get("document")
    response.json = {
        "title": request.form.get("title", "untitled"),
        "filename": document.filename,
        "content_type": document.content_type,
        "size": len(document.read()),
    }


if __name__ == "__main__":
    simple_server(app)
