"""The HTTP names that applications import from `roll.http`."""

from roll_http import Cookies, HttpError, HTTPProtocol

from .containers import Files, Form, Multidict, Multipart, Query

__all__ = [
    "Cookies",
    "Files",
    "Form",
    "HTTPProtocol",
    "HttpError",
    "Multidict",
    "Multipart",
    "Query",
]
