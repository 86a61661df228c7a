"""Forms and files: an incremental multipart and urlencoded parser, without dependencies."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from .errors import FieldError, LimitError, MultipartError
from .files import MemoryFile, SpooledFile, UploadedFile
from .multidict import Files, Form, Multidict, Query
from .multipart import Multipart

__all__ = [
    "FieldError",
    "Files",
    "Form",
    "LimitError",
    "Limits",
    "MemoryFile",
    "Multidict",
    "Multipart",
    "MultipartError",
    "Part",
    "PushParser",
    "Query",
    "SpooledFile",
    "UploadedFile",
    "encode",
    "get_boundary",
]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .encoder import encode
    from .headers import Part, get_boundary
    from .limits import Limits
    from .parser import PushParser
else:
    # Loaded when first asked for: they are most of what loading the package takes, regular
    # expressions above all (2.5 ms), and whoever has no multipart body has no use for them.
    LATER: Final = {
        "Limits": "limits",
        "Part": "headers",
        "PushParser": "parser",
        "encode": "encoder",
        "get_boundary": "headers",
    }

    # Type checkers would let any name pass for its sake.
    def __getattr__(name: str) -> Any:
        if name not in LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f".{LATER[name]}", __name__), name)
        return value
