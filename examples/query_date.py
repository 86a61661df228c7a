from datetime import date

from roll import HttpError, Query, Roll
from roll.extensions import simple_server


class MyQuery(Query):
    @property
    def date(self):
        year, month, day = self.int("year"), self.int("month"), self.int("day")
        try:
            return date(year, month, day)
        except (ValueError, OverflowError) as error:
            raise HttpError(400, "No such date") from error


class MyRoll(Roll):
    Query = MyQuery


app = MyRoll()


@app.route("/hello/")
async def hello(request, response):
    response.body = request.query.date.isoformat()


if __name__ == "__main__":
    simple_server(app)
