# A common response as bytes, with the same result as `serialize_common` in `h1/serialize.py`.
#
# The core renders bodies of text or bytes, with fields of plain ASCII that do not frame the message.
# The Python code renders all others.

cdef dict kinds = None  # field name -> its kind, see `h1/response_fields.py`
cdef dict status_lines = None  # common status -> its line, as bytes
cdef object serialize_in_python = None
cdef Py_ssize_t LONGEST_BODY = 0
cdef bytes TEXT_TYPE = None
cdef bytes BYTES_TYPE = None
cdef bytes OK_LINE = None


cdef inline bint is_printable(text) noexcept:
    """Return whether a value is a str of printable ASCII."""
    cdef const unsigned char* data
    cdef Py_ssize_t i
    cdef unsigned char odd = 0
    if not PyUnicode_CheckExact(text) or not PyUnicode_IS_COMPACT_ASCII(text):
        return False
    data = PyUnicode_1BYTE_DATA(text)
    for i in range(PyUnicode_GET_LENGTH(text)):
        odd |= (data[i] < 32) | (data[i] == 127)
    return not odd


cdef inline char* put(char* out, const char* data, Py_ssize_t size) noexcept:
    memcpy(out, data, size)
    return out + size


cdef inline char* put_text(char* out, text) noexcept:
    """Write ASCII text."""
    return put(out, <const char*>PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text))


cdef inline char* put_bytes(char* out, bytes data) noexcept:
    return put(out, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef char* write_digits(Py_ssize_t number, char* end) noexcept:
    """Write a number so that it ends at `end`; return its start."""
    while True:
        end -= 1
        end[0] = 48 + number % 10
        number //= 10
        if not number:
            return end


cdef Py_ssize_t write_number(number, char* digits) except? -1:
    """Write an int at the end of `digits`, which has 24 bytes; return its size, 0 for a large int."""
    cdef int overflow = 0
    cdef long long value = PyLong_AsLongLongAndOverflow(number, &overflow)
    cdef char* start
    if overflow or value <= -(1 << 62) or value >= 1 << 62:
        return 0
    start = write_digits(value if value >= 0 else -value, digits + 24)
    if value < 0:
        start -= 1
        start[0] = b"-"
    return digits + 24 - start


cdef inline Py_ssize_t size_of_value(value) except -2:
    """Return the size of the value of a field; -1 if it is not plain."""
    cdef char[24] digits
    if is_printable(value):
        return PyUnicode_GET_LENGTH(value)
    return (write_number(value, digits) or -1) if PyLong_CheckExact(value) else -1


cdef Py_ssize_t size_of_fields(fields) except -2:
    """Return the size of the lines of plain fields; -1 if any is not plain."""
    cdef PyObject* name
    cdef PyObject* value
    cdef PyObject* kind
    cdef Py_ssize_t at = 0, size = 0, value_size
    if not PyDict_CheckExact(fields):
        return -1
    while PyDict_Next(fields, &at, &name, &value):
        value_size = size_of_value(<object>value)
        if value_size < 0 or not PyUnicode_CheckExact(<object>name):
            return -1
        kind = PyDict_GetItemWithError(kinds, <object>name)
        if kind == NULL or <object>kind is not PLAIN:
            return -1
        size += PyUnicode_GET_LENGTH(<object>name) + value_size + 4
    return size


cdef char* put_fields(char* out, dict fields) except NULL:
    cdef PyObject* name
    cdef PyObject* value
    cdef char[24] digits
    cdef Py_ssize_t at = 0, size
    while PyDict_Next(fields, &at, &name, &value):
        out = put_text(out, <object>name)
        out = put(out, b": ", 2)
        if PyLong_CheckExact(<object>value):
            size = write_number(<object>value, digits)
            out = put(out, digits + 24 - size, size)
        else:
            out = put_text(out, <object>value)
        out = put(out, b"\r\n", 2)
    return out


cdef bytes type_line(ResponseBase response, bint is_text):
    """Return the `Content-Type` line for a body whose type is not set."""
    if response.fields is not LATER and "Content-Type" in response.fields:
        return b""
    if not response.add_content_type:
        return b""
    return TEXT_TYPE if is_text else BYTES_TYPE


cdef bytes render(ResponseBase response, str date, bint with_body, Py_ssize_t* body_size):
    """Return the bytes of a response of a plain class; None if it is not common.

    `date` is the line of the `Date` field. The connection stays open after the response.
    """
    cdef const char* body
    cdef Py_ssize_t size, fields_size, length_size
    cdef bytes status, kind, answer
    cdef char[24] digits
    cdef char* length
    cdef char* out
    held = response.body
    cdef bint is_text = PyUnicode_CheckExact(held)
    if not is_text and not PyBytes_CheckExact(held):
        return None
    # The next two calls may run Python code. Nothing after them does, so the measured sizes stay
    # valid.
    kind = type_line(response, is_text) if held else b""
    cookies = cookie_lines(response)
    status = status_line(response._status)
    fields_size = 0 if response.fields is LATER else size_of_fields(response.fields)
    if cookies is None or status is None or fields_size < 0:
        return None
    if is_text:
        body = PyUnicode_AsUTF8AndSize(held, &size)
    else:
        body, size = PyBytes_AS_STRING(held), PyBytes_GET_SIZE(held)
    if size > LONGEST_BODY:
        return None
    length = write_digits(size, digits + 24)
    length_size = digits + 24 - length
    answer = PyBytes_FromStringAndSize(NULL, (
        PyBytes_GET_SIZE(status) + fields_size + PyUnicode_GET_LENGTH(cookies) + 16 + length_size + 2
        + PyUnicode_GET_LENGTH(date) + PyBytes_GET_SIZE(kind) + 2 + (size if with_body else 0)
    ))
    out = put_bytes(PyBytes_AS_STRING(answer), status)
    if fields_size:
        out = put_fields(out, <dict>response.fields)
    out = put_text(out, cookies)
    out = put(out, b"Content-Length: ", 16)
    out = put(out, length, length_size)
    out = put(out, b"\r\n", 2)
    out = put_text(out, date)
    out = put_bytes(out, kind)
    out = put(out, b"\r\n", 2)
    if with_body:
        put(out, body, size)
    body_size[0] = size
    return answer


cdef inline bytes status_line(status):
    """Return the line of a common status; None for any other."""
    cdef PyObject* found
    if status is OK:
        return OK_LINE
    found = PyDict_GetItemWithError(status_lines, status)
    return None if found == NULL else <bytes>found


def serialize(ResponseBase response, str date):
    """Return the head and the body of a common response, joined; None for any other.

    Tests compare the result with that of `serialize_common_response`.
    """
    cdef Py_ssize_t size
    find_parts()
    if not plain_responses.takes(type(response)):
        return None
    try:
        return render(response, date, True, &size)
    except Exception:
        return None


def serialize_common(RequestBase request, ResponseBase response, str date):
    """Return the same tuple as `serialize_common_response`; None for an uncommon response."""
    cdef Py_ssize_t size
    find_parts()
    if request.version != "1.1" or request.method == "HEAD" or request.method == "CONNECT":
        return None
    if not plain_responses.takes(type(response)):
        return serialize_in_python(request, response, date)
    try:
        head = render(response, date, False, &size)
    except UnicodeEncodeError:
        head = None
    if head is None:
        return serialize_in_python(request, response, date)
    body = response.body
    return head, body.encode() if PyUnicode_CheckExact(body) else body, None, None, True
