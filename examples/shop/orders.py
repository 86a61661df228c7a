"""The orders: routes of one part of the application."""

from roll import HttpError


def orders(app):
    group = app.group("/orders")

    @group.route("")
    async def list_orders(request, response):
        size = request.query.int("size", app.settings.page_size)
        response.json = app["orders"][:size]

    @group.route("/{number}", name="order")
    async def show_order(request, response, number: int):
        if not 0 < number <= len(app["orders"]):
            raise HttpError(404, "There is no such order")
        response.json = {
            "order": app["orders"][number - 1],
            "url": app.url_for("order", number=number),
        }
