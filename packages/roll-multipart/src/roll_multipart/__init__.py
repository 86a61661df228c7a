"""Incremental multipart/form-data and urlencoded parser, with its multidicts."""

__version__ = "0.1.0"
