from flask import Flask, Response, abort, request

app = Flask(__name__)
books = {1: "Dune"}


@app.after_request
def add_header(response):
    response.headers["X-Served-By"] = "books"
    return response


@app.get("/books")
def list_books():
    page = request.args.get("page", 1, type=int)
    return {"page": page, "books": list(books.values())}


@app.post("/books")
def add_book():
    number = len(books) + 1
    books[number] = request.get_json()["title"]
    return {"id": number, "title": books[number]}, 201


@app.get("/books/<int:number>")
def show_book(number):
    if number not in books:
        abort(404, "No such book")
    return {"id": number, "title": books[number]}


@app.post("/covers")
def receive_cover():
    cover = request.files["cover"]
    return {"name": cover.filename, "size": len(cover.read())}


@app.get("/login")
def login():
    response = Response("Welcome", content_type="text/plain")
    response.set_cookie("user", "ada", httponly=True)
    return response


@app.get("/count")
def count():
    def numbers():
        for number in range(3):
            yield f"{number} "

    return Response(numbers(), content_type="text/plain")
