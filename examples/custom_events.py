from roll import Roll
from roll.extensions import simple_server


class Connection:
    """Stands for what a database driver would give."""

    def __init__(self, **credentials):
        self.credentials = credentials
        self.types = []


def db_pool(app, **credentials):
    @app.listen("startup")
    async def connect():
        connection = Connection(**credentials)
        app.hook("new_connection", connection=connection)
        app["db"] = connection


app = Roll()
db_pool(app, dbname="library", username="ada", password="s3cr3t")


@app.listen("new_connection")
def register_types(connection):
    connection.types.append("uuid")


@app.route("/types")
async def types(request, response):
    response.json = app["db"].types


if __name__ == "__main__":
    simple_server(app)
