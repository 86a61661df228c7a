"""The access log of a server on uvicorn, named by its port."""

import logging
import os


def handler() -> logging.Handler:
    """Return the handler of the file."""
    return logging.FileHandler(f"{os.environ['BENCH_FILES']}/{os.environ['BENCH_PORT']}.log")
