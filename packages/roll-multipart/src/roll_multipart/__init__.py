"""Forms and files: an incremental multipart and urlencoded parser, without dependencies."""

from .encoder import encode
from .errors import FieldError, LimitError, MultipartError
from .files import MemoryFile, SpooledFile, UploadedFile
from .headers import Part, get_boundary
from .limits import Limits
from .multidict import Files, Form, Multidict, Query
from .multipart import Multipart
from .parser import PushParser

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
