"""The parsers, each behind the same call: chunks in, (fields, files, bytes of content) out.

`FORMS` holds what a user would call to have a form and files; `EVENTS` the parser under it, with a
consumer that only counts: what it costs to find the parts.
"""

import io
import tempfile
from collections.abc import Callable
from typing import Any

import multifruits
import multipart
import python_multipart
from bodies import BOUNDARY, CONTENT_TYPE, Chunks
from streaming_form_data import StreamingFormDataParser
from streaming_form_data.targets import BaseTarget
from werkzeug.formparser import MultiPartParser
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from roll_multipart import MemoryFile, Multipart, PushParser, SpooledFile

Found = tuple[int, int, int]
Peer = Callable[[Chunks], Any]
SPOOL = 2**20


class Stream:
    """What the parsers that pull read from: the same chunks, without a copy."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = iter(chunks)

    def read(self, size: int = -1) -> bytes:
        return next(self._chunks, b"")


class Storage:
    """Where files go: to disk when they grow, as by default everywhere, or not."""

    memory = False


def new_file(*_arguments: Any, **_settings: Any) -> Any:
    """What the parsers that make no files write to."""
    return io.BytesIO() if Storage.memory else tempfile.SpooledTemporaryFile(SPOOL)


def size_of(file: Any) -> int:
    size: int = file.seek(0, 2)
    file.close()
    return size


def count(form: dict[str, list[str]], files: dict[str, list[Any]]) -> Found:
    texts = [value for values in form.values() for value in values]
    opened = [file for group in files.values() for file in group]
    size = sum(len(text.encode()) for text in texts) + sum(map(size_of, opened))
    return len(texts), len(opened), size


# Each takes the time of the parsing only: counting is done by what it returns.


def roll_form(chunks: Chunks) -> Any:
    parser = Multipart(file_factory=MemoryFile if Storage.memory else SpooledFile)
    form, files = parser.initialize(CONTENT_TYPE)
    feed = parser.feed_data
    for chunk in chunks:
        feed(chunk)
    parser.close()
    return form, files


class Counter(PushParser):
    """Counts what the parser finds."""

    fields = files = size = 0

    def part_begin(self, part: Any) -> None:
        if part.filename is None:
            self.fields += 1
        else:
            self.files += 1

    def part_data(self, data: bytes | memoryview) -> None:
        self.size += len(data)


def roll_events(chunks: Chunks) -> Found:
    parser = Counter(BOUNDARY)
    feed = parser.feed
    for chunk in chunks:
        feed(chunk)
    parser.close()
    return parser.fields, parser.files, parser.size


def multipart_form(chunks: Chunks) -> Any:
    form: dict[str, list[str]] = {}
    files: dict[str, list[Any]] = {}
    size = max(len(chunks[0]), 1)
    spool = 2**40 if Storage.memory else SPOOL
    for part in multipart.MultipartParser(
        Stream(chunks),
        BOUNDARY,
        buffer_size=size,
        part_limit=1000,
        spool_limit=spool,
        memory_limit=2**40,
    ):
        if part.filename is None:
            form.setdefault(part.name, []).append(part.value)
        else:
            files.setdefault(part.name, []).append(part.file)
    return form, files


class Collector:
    """The leanest consumer that one can write around the events of `multipart`."""

    def __init__(self) -> None:
        self.form: dict[str, list[str]] = {}
        self.files: dict[str, list[Any]] = {}

    def begin(self, segment: multipart.MultipartSegment) -> Callable[[bytes], Any]:
        self.segment = segment
        if segment.filename is None:
            self.text = bytearray()
            return self.text.extend
        self.file = new_file()
        return self.file.write

    def end(self) -> None:
        name = self.segment.name
        if self.segment.filename is None:
            self.form.setdefault(name, []).append(str(self.text, "utf-8", "replace"))
        else:
            self.file.seek(0)
            self.files.setdefault(name, []).append(self.file)


def multipart_push_form(chunks: Chunks) -> Any:
    found = Collector()
    write: Callable[[bytes], Any] = len
    with multipart.PushMultipartParser(BOUNDARY) as parser:
        for chunk in chunks:
            for event in parser.parse(chunk):
                if event is None:
                    found.end()
                elif isinstance(event, multipart.MultipartSegment):
                    write = found.begin(event)
                else:
                    write(event)
    return found.form, found.files


def multipart_events(chunks: Chunks) -> Found:
    fields = files = size = 0
    with multipart.PushMultipartParser(BOUNDARY) as parser:
        for chunk in chunks:
            for event in parser.parse(chunk):
                if event is None:
                    continue
                if isinstance(event, multipart.MultipartSegment):
                    if event.filename is None:
                        fields += 1
                    else:
                        files += 1
                else:
                    size += len(event)
    return fields, files, size


def python_multipart_form(chunks: Chunks) -> Any:
    form: dict[str, list[str]] = {}
    files: dict[str, list[Any]] = {}

    def on_field(field: Any) -> None:
        form.setdefault(field.field_name.decode(), []).append((field.value or b"").decode())

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        files.setdefault(file.field_name.decode(), []).append(file.file_object)

    headers = {"Content-Type": CONTENT_TYPE.encode()}
    spool = 2**40 if Storage.memory else SPOOL
    parser = python_multipart.create_form_parser(
        headers, on_field, on_file, config={"MAX_MEMORY_FILE_SIZE": spool}
    )
    for chunk in chunks:
        parser.write(chunk)
    parser.finalize()
    return form, files


def python_multipart_events(chunks: Chunks) -> Found:
    found = [0, 0, 0]
    header = [b""]

    def on_header_value(data: bytes, start: int, end: int) -> None:
        header[0] += data[start:end]

    def on_headers_finished() -> None:
        found[b"filename=" in header[0]] += 1
        header[0] = b""

    def on_part_data(_data: bytes, start: int, end: int) -> None:
        found[2] += end - start

    parser = python_multipart.MultipartParser(
        BOUNDARY,
        {
            "on_header_value": on_header_value,
            "on_headers_finished": on_headers_finished,
            "on_part_data": on_part_data,
        },
    )
    for chunk in chunks:
        parser.write(chunk)
    parser.finalize()
    return found[0], found[1], found[2]


class FormTarget(BaseTarget):  # type: ignore[misc] # untyped
    """Collects the parts of one name, which must be known beforehand."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.files: list[Any] = []

    def on_start(self) -> None:
        self.text = bytearray()
        self.file: Any = None
        self.write: Any = self.text.extend
        if self.multipart_filename is not None:
            self.file = new_file()
            self.write = self.file.write

    def on_data_received(self, chunk: bytes) -> None:
        self.write(chunk)

    def on_finish(self) -> None:
        if self.file is None:
            self.texts.append(self.text.decode())
        else:
            self.file.seek(0)
            self.files.append(self.file)
        self.multipart_filename = None


def streaming_form(chunks: Chunks) -> Any:
    parser = StreamingFormDataParser({"Content-Type": CONTENT_TYPE})
    targets = {name: FormTarget() for name in chunks.names}
    for name, target in targets.items():
        parser.register(name, target)
    for chunk in chunks:
        parser.data_received(chunk)
    form = {name: target.texts for name, target in targets.items()}
    return form, {name: target.files for name, target in targets.items()}


class CountTarget(BaseTarget):  # type: ignore[misc] # untyped
    """Counts the parts of one name."""

    def __init__(self) -> None:
        super().__init__()
        self.fields = self.files = self.size = 0

    def on_start(self) -> None:
        if self.multipart_filename is None:
            self.fields += 1
        else:
            self.files += 1

    def on_data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def on_finish(self) -> None:
        self.multipart_filename = None


def streaming_events(chunks: Chunks) -> Found:
    parser = StreamingFormDataParser({"Content-Type": CONTENT_TYPE})
    targets = [CountTarget() for _ in chunks.names]
    for name, target in zip(chunks.names, targets, strict=True):
        parser.register(name, target)
    for chunk in chunks:
        parser.data_received(chunk)
    return (
        sum(target.fields for target in targets),
        sum(target.files for target in targets),
        sum(target.size for target in targets),
    )


class Fruits:
    """Collects parts from the callbacks of multifruits."""

    def __init__(self) -> None:
        self.form: dict[str, list[str]] = {}
        self.files: dict[str, list[Any]] = {}

    def on_part_begin(self) -> None:
        self.headers: dict[bytes, bytes] = {}

    def on_header(self, field: bytes, value: bytes) -> None:
        self.headers[field] = value

    def on_headers_complete(self) -> None:
        disposition = self.headers.get(b"Content-Disposition")
        _, params = multifruits.parse_content_disposition(disposition)
        self.name = params[b"name"].decode()
        self.text = bytearray()
        self.file: Any = None
        self.write: Any = self.text.extend
        if b"filename" in params:
            multifruits.extract_filename(params)
            self.file = new_file()
            self.write = self.file.write

    def on_data(self, data: bytes) -> None:
        self.write(data)

    def on_part_complete(self) -> None:
        if self.file is None:
            self.form.setdefault(self.name, []).append(self.text.decode())
        else:
            self.file.seek(0)
            self.files.setdefault(self.name, []).append(self.file)


def multifruits_form(chunks: Chunks) -> Any:
    handler = Fruits()
    parser = multifruits.Parser(handler, CONTENT_TYPE.encode())
    for chunk in chunks:
        parser.feed_data(chunk)
    return handler.form, handler.files


class FruitsCounter:
    """Counts what multifruits finds."""

    fields = files = size = 0

    def on_header(self, field: bytes, value: bytes) -> None:
        if field == b"Content-Disposition":
            _, params = multifruits.parse_content_disposition(value)
            if b"filename" in params:
                self.files += 1
            else:
                self.fields += 1

    def on_data(self, data: bytes) -> None:
        self.size += len(data)


def multifruits_events(chunks: Chunks) -> Found:
    handler = FruitsCounter()
    parser = multifruits.Parser(handler, CONTENT_TYPE.encode())
    for chunk in chunks:
        parser.feed_data(chunk)
    return handler.fields, handler.files, handler.size


def werkzeug_form(chunks: Chunks) -> Any:
    factory = new_file if Storage.memory else None
    parser = MultiPartParser(factory, buffer_size=max(len(chunks[0]), 1))
    form, files = parser.parse(Stream(chunks), BOUNDARY.encode(), None)  # type: ignore[arg-type] # it only reads
    return dict(form.lists()), {name: [f.stream for f in group] for name, group in files.lists()}


def werkzeug_events(chunks: Chunks) -> Found:
    fields = files = size = 0
    decoder = MultipartDecoder(BOUNDARY.encode())
    for chunk in [*chunks, None]:
        decoder.receive_data(chunk)
        while True:
            event = decoder.next_event()
            if isinstance(event, Field):
                fields += 1
            elif isinstance(event, File):
                files += 1
            elif isinstance(event, Data):
                size += len(event.data)
                continue
            elif isinstance(event, Epilogue):
                return fields, files, size
            if type(event).__name__ == "NeedData":
                break
    return fields, files, size


FORMS: dict[str, Peer] = {
    "roll-multipart": roll_form,
    "multipart": multipart_form,
    "multipart push": multipart_push_form,
    "python-multipart": python_multipart_form,
    "streaming-form-data": streaming_form,
    "multifruits": multifruits_form,
    "werkzeug": werkzeug_form,
}
EVENTS: dict[str, Peer] = {
    "roll-multipart": roll_events,
    "multipart": multipart_events,
    "python-multipart": python_multipart_events,
    "streaming-form-data": streaming_events,
    "multifruits": multifruits_events,
    "werkzeug": werkzeug_events,
}
