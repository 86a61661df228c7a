# JSON of common values in UTF-8, with the same result as `JSONCodec`.
#
# Common values are dicts with text as keys, lists, tuples, text, numbers, booleans and None, but no
# subclasses of these. Python's encoder encodes all others and raises the errors.

from cpython.float cimport PyFloat_CheckExact
from cpython.list cimport PyList_CheckExact, PyList_GET_ITEM, PyList_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_GET_SIZE

cdef enum:
    DEEPEST = 32  # levels of nesting; Python's encoder takes deeper values and detects circles

cdef struct Buffer:
    char* data
    Py_ssize_t size
    Py_ssize_t room

# The character after the backslash that escapes a byte: u for \u00xx, 0 if no escape is needed.
cdef unsigned char[256] ESCAPES
memset(ESCAPES, 0, sizeof(ESCAPES))
memset(ESCAPES, b"u"[0], 32)
ESCAPES[8], ESCAPES[9], ESCAPES[10], ESCAPES[12], ESCAPES[13] = b"btnfr"
ESCAPES[34], ESCAPES[92] = b'"\\'


cdef inline int reserve(Buffer* buffer, Py_ssize_t size) except -1:
    """Make room for more bytes."""
    cdef char* data
    if buffer.room - buffer.size >= size:
        return 0
    room = 2 * buffer.room + size + 64
    data = <char*>PyMem_Realloc(buffer.data, room)
    if data == NULL:
        raise MemoryError
    buffer.data, buffer.room = data, room
    return 0


cdef inline int add(Buffer* buffer, const char* data, Py_ssize_t size) except -1:
    reserve(buffer, size)
    memcpy(buffer.data + buffer.size, data, size)
    buffer.size += size
    return 0


cdef int add_text(Buffer* buffer, text) except -1:
    """Add a str, quoted."""
    cdef Py_ssize_t size, at
    cdef const unsigned char* data
    cdef char* out
    cdef unsigned char escape
    if PyUnicode_IS_COMPACT_ASCII(text):
        data, size = PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text)
    else:
        data = <const unsigned char*>PyUnicode_AsUTF8AndSize(text, &size)
    reserve(buffer, 6 * size + 2)
    out = buffer.data + buffer.size
    out[0] = b'"'
    out += 1
    for at in range(size):
        escape = ESCAPES[data[at]]
        if not escape:
            out[0] = data[at]
            out += 1
            continue
        out[0] = b"\\"
        out[1] = escape
        out += 2
        if escape == b"u":
            out[0] = out[1] = b"0"
            out[2] = 48 + (data[at] >> 4)
            out[3] = b"0123456789abcdef"[data[at] & 15]
            out += 4
    out[0] = b'"'
    buffer.size = out + 1 - buffer.data
    return 0


cdef bint add_number(Buffer* buffer, number) except -1:
    """Add an integer that fits into 64 bits, or a finite float."""
    cdef char[24] digits
    cdef Py_ssize_t size
    if PyFloat_CheckExact(number):
        if number - number != 0:  # an infinity or NaN
            return False
        text = repr(number)
        add(buffer, <const char*>PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text))
        return True
    size = write_number(number, digits)
    if not size:
        return False
    add(buffer, digits + 24 - size, size)
    return True


cdef bint add_dict(Buffer* buffer, dict value, int depth) except -1:
    cdef PyObject* name
    cdef PyObject* item
    cdef Py_ssize_t at = 0
    cdef bint first = True
    add(buffer, b"{", 1)
    while PyDict_Next(value, &at, &name, &item):
        if not first:
            add(buffer, b",", 1)
        first = False
        if not PyUnicode_CheckExact(<object>name):
            return False
        add_text(buffer, <object>name)
        add(buffer, b":", 1)
        if not add_value(buffer, <object>item, depth):
            return False
    add(buffer, b"}", 1)
    return True


cdef bint add_items(Buffer* buffer, value, int depth) except -1:
    """Add a list or a tuple. No Python code runs meanwhile, so the list cannot change."""
    cdef bint is_list = PyList_CheckExact(value)
    cdef Py_ssize_t at, size = PyList_GET_SIZE(value) if is_list else PyTuple_GET_SIZE(value)
    add(buffer, b"[", 1)
    for at in range(size):
        if at:
            add(buffer, b",", 1)
        item = <object>PyList_GET_ITEM(value, at) if is_list else <object>PyTuple_GET_ITEM(value, at)
        if not add_value(buffer, item, depth):
            return False
    add(buffer, b"]", 1)
    return True


cdef bint add_value(Buffer* buffer, value, int depth) except -1:
    """Add a value; return False if it is not a common one."""
    if PyUnicode_CheckExact(value):
        add_text(buffer, value)
    elif value is None:
        add(buffer, b"null", 4)
    elif value is True:
        add(buffer, b"true", 4)
    elif value is False:
        add(buffer, b"false", 5)
    elif PyLong_CheckExact(value) or PyFloat_CheckExact(value):
        return add_number(buffer, value)
    elif depth >= DEEPEST:
        return False
    elif PyDict_CheckExact(value):
        return add_dict(buffer, <dict>value, depth + 1)
    elif PyList_CheckExact(value) or PyTuple_CheckExact(value):
        return add_items(buffer, value, depth + 1)
    else:
        return False
    return True


def encode_json(value):
    """Return the JSON of a common value in UTF-8; None for other values and invalid text."""
    cdef Buffer buffer
    buffer.data, buffer.size, buffer.room = NULL, 0, 0
    try:
        if add_value(&buffer, value, 0):
            return PyBytes_FromStringAndSize(buffer.data, buffer.size)
        return None
    except UnicodeEncodeError:  # a lone surrogate
        return None
    finally:
        PyMem_Free(buffer.data)


cdef object JSONCodec, PLAIN_JSON, set_json_in_python


def set_json(ResponseBase response, value):
    """Set the body and the type of a response, as `Response.json` does."""
    find_parts()
    if response.fields is LATER and plain_responses.takes(type(response)):
        codec = getattr(response.app, "JSON", PLAIN_JSON)
        if type(codec) is JSONCodec:
            data = encode_json(value)
            if data is not None:
                response.body = data
                response.fields = {"Content-Type": "application/json; charset=utf-8"}
                return
    set_json_in_python(response, value)


# The size in bytes up to which no body can be nested too deeply: see `json_codec.py`.
cdef Py_ssize_t SHORT_JSON = 0
cdef object scan_json, json_in_python


cdef load_json(bytes body):
    """Decode a short JSON text; return UNSET if the Python code has to read or refuse it."""
    cdef Py_ssize_t size = PyBytes_GET_SIZE(body)
    if size > SHORT_JSON:
        return UNSET
    try:
        text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(body), size, NULL)
        value, end = scan_json(text, 0)
    except (ValueError, StopIteration, RecursionError):
        return UNSET
    return value if end == PyUnicode_GET_LENGTH(text) else UNSET


def get_json(RequestBase request):
    """Return the body of a request, decoded from JSON, as `Request.json` does.

    With this function, an echo of a short body takes 2.7 us in process instead of 3.1.
    """
    if request._json is UNSET:
        find_parts()
        codec = getattr(request.app, "JSON", PLAIN_JSON)
        if type(codec) is JSONCodec and PyBytes_CheckExact(request._body) and plain_loading.takes(type(request)):
            request._json = load_json(<bytes>request._body)
        if request._json is UNSET:
            return call_checked(json_in_python, request)
    return request._json
