"""Forms and files: an incremental multipart and urlencoded parser, without dependencies."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from .errors import FieldError, LimitError, MultipartError, NestedError
from .files import Files, MemoryFile, SpooledFile, UploadedFile
from .multidict import Multidict
from .multipart import Multipart
from .query import Form, Query

__all__ = [
    "UNLIMITED",
    "AsyncEncodedForm",
    "AsyncPartReader",
    "EncodedForm",
    "FieldError",
    "Files",
    "Form",
    "LimitError",
    "Limits",
    "MemoryFile",
    "Multidict",
    "Multipart",
    "MultipartError",
    "NestedError",
    "Part",
    "PartReader",
    "PushParser",
    "Query",
    "SpooledFile",
    "UploadedFile",
    "encode",
    "encode_stream",
    "encode_stream_async",
    "get_boundary",
    "parse_form",
    "parse_form_async",
    "parts",
    "parts_async",
]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .encoder import encode
    from .forms import parse_form, parse_form_async
    from .headers import get_boundary
    from .limits import UNLIMITED, Limits
    from .parser import PushParser
    from .part import Part
    from .pull import AsyncPartReader, PartReader, parts, parts_async
    from .streaming import AsyncEncodedForm, EncodedForm, encode_stream, encode_stream_async
else:
    # These are loaded at their first use. Their regular expressions take 2.5 ms, which is most of
    # the time to load the package, and they are needed for multipart bodies only.
    LATER: Final = {
        "AsyncEncodedForm": "streaming",
        "AsyncPartReader": "pull",
        "EncodedForm": "streaming",
        "Limits": "limits",
        "Part": "part",
        "PartReader": "pull",
        "PushParser": "parser",
        "UNLIMITED": "limits",
        "encode": "encoder",
        "encode_stream": "streaming",
        "encode_stream_async": "streaming",
        "get_boundary": "headers",
        "parse_form": "forms",
        "parse_form_async": "forms",
        "parts": "pull",
        "parts_async": "pull",
    }

    # If type checkers saw it, they would accept any name.
    def __getattr__(name: str) -> Any:
        if name not in LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f".{LATER[name]}", __name__), name)
        return value
