"""The application: `roll run 'shop.app:make_app()'`."""

from roll import Roll
from roll.extensions import csrf, named_url, sessions, traceback

from .orders import orders
from .settings import Settings


def make_app(settings=None):
    """Return the shop; without settings, those of the environment count."""
    app = Roll()
    app.settings = settings or Settings.read()
    app.url_for = named_url(app)
    csrf(app)
    sessions(app, app.settings.secret)
    if app.settings.debug:
        traceback(app)

    @app.lifespan
    async def database(app):
        app["orders"] = ["Bread", "Figs"]  # here a pool of connections is opened
        yield

    orders(app)
    return app
