"""BlackSheep on freastal, a server of libuv and picohttpparser: one process, its own loop."""

import os

import freastal
from blacksheep_app import app

if __name__ == "__main__":
    freastal.serve_asgi(app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), workers=1)
