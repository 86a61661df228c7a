from datetime import date

from roll import Query, Roll
from roll.extensions import simple_server


class MyQuery(Query):
    @property
    def date(self):
        return date(self.int("year"), self.int("month"), self.int("day"))


class MyRoll(Roll):
    Query = MyQuery


app = MyRoll()


@app.route("/hello/")
async def hello(request, response):
    response.body = request.query.date.isoformat()


if __name__ == "__main__":
    simple_server(app)
