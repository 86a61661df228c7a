"""The head of a part."""

from typing import Final

__all__ = ["Part"]

UTF_8: Final = "utf-8"


class Part:
    """The head of a part, with the values of its Content-Disposition and Content-Type.

    `name` is "" if a part of a multipart/mixed has no name. `filename` is None for a text field.
    Otherwise it is the last component of the name that the client sent, which is empty for a file
    input without a file. `content_type` is "" if the client sent none.
    """

    __slots__ = ("_head", "_params", "content_type", "filename", "name")

    def __init__(self, head: bytes, name: str, filename: str | None, content_type: str) -> None:
        self._head = head
        self._params: dict[str, str] | None = None
        self.name = name
        self.filename = filename
        self.content_type = content_type

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"<{kind} {self.name!r} filename={self.filename!r} {self.content_type!r}>"

    @property
    def headers(self) -> dict[str, str]:
        """All header fields of the part, by their names in lower case."""
        from .fields import parse_fields  # noqa: PLC0415 - this module is loaded without that one

        return parse_fields(self._head)

    @property
    def params(self) -> dict[str, str]:
        """The parameters of Content-Disposition as they were sent, with escapes and paths."""
        from .fields import parse_value  # noqa: PLC0415 - as above

        if self._params is None:
            self._params = parse_value(self.headers.get("content-disposition", "inline"))[1]
        return self._params

    @property
    def charset(self) -> str:
        """The charset of its Content-Type, in lower case, or "utf-8" if it has none.

        Raises `MultipartError` for a malformed Content-Type.
        """
        from .fields import parse_value  # noqa: PLC0415 - as above

        if not self.content_type:
            return UTF_8
        return parse_value(self.content_type)[1].get("charset", UTF_8).lower()
