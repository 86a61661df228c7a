"""The library: `roll run library.app:app`."""

import os

from roll import Roll
from roll.extensions import csrf

from .api import api
from .database import shelf
from .live import live
from .pages import pages


def make_app(path, redis=None):
    """Return a library whose books are in the SQLite file `path`."""
    app = Roll()
    csrf(app)
    shelf(app, path)
    api(app)
    pages(app)
    live(app, redis)
    return app


app = make_app(os.environ.get("LIBRARY_DATABASE", "library.db"), os.environ.get("LIBRARY_REDIS"))
