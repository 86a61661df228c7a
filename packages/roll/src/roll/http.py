"""Names, for those who import the parts of HTTP from here."""

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
