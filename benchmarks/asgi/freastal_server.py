"""The application of the peers on freastal, which brings its own loop: it takes no uvloop."""

import sys
from pathlib import Path

import freastal

sys.path.insert(0, str(Path(__file__).parents[1] / "peers"))

from starlette_app import app

freastal.serve_asgi(app, "127.0.0.1", int(sys.argv[1]))
