# Finds the parts of a common head.
#
# A common head has a request line of HTTP/1.1 with a common method and a target that is a path, and
# one plain Host. Of the fields that decide about the connection or the framing, it may have
# `Connection: keep-alive` and Content-Length only. llhttp (through httptools) must also accept the
# same bytes as one complete message.

import httptools

from libc.stddef cimport size_t

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX

cdef enum:
    TOKEN = 1  # RFC 9110 5.6.2
    TARGET = 2  # visible ASCII, without a fragment
    HOST = 4  # characters of a plain registered name or an IPv4 address
    LONGEST_LENGTH = 15  # the most digits of a Content-Length, so that it cannot overflow
    SHORTEST_HEAD = 26  # the size of "GET / HTTP/1.1" and "Host: a" with their line ends

cdef unsigned char[256] ROLES

cdef int fill_roles() except -1:
    cdef int code
    memset(ROLES, 0, sizeof(ROLES))
    for code in range(33, 127):
        if chr(code).isalnum() or code in b"!#$%&'*+-.^_`|~":
            ROLES[code] |= TOKEN
        if code != b"#"[0]:
            ROLES[code] |= TARGET
        if chr(code).isalnum() or code in b".-":
            ROLES[code] |= HOST
    return 0

fill_roles()

cdef tuple METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

cdef struct Bounds:
    Py_ssize_t line  # the longest request line
    Py_ssize_t head  # the largest head
    Py_ssize_t fields  # the most field lines
    Py_ssize_t body  # the largest body that is loaded

cdef struct Head:
    int method  # the index of the method in METHODS
    Py_ssize_t target  # the offset of the target
    Py_ssize_t path_end
    Py_ssize_t target_end
    Py_ssize_t fields  # the offset of the first field line
    Py_ssize_t end  # the offset after the empty line
    Py_ssize_t length  # the size of the body
    bint escaped  # whether the path has a %


cdef inline bint equals(const unsigned char* text, const char* lower, Py_ssize_t size) noexcept nogil:
    """Return whether a text equals `lower`, which has letters and hyphens, in any case."""
    cdef Py_ssize_t i
    cdef unsigned char code
    for i in range(size):
        code = text[i]
        if 65 <= code <= 90:
            code += 32
        if code != <unsigned char>lower[i]:
            return False
    return True


cdef inline int read_method(const unsigned char* data) noexcept nogil:
    """Return the index of the method in METHODS; -1 for other methods."""
    if memcmp(data, b"GET ", 4) == 0:
        return 0
    if memcmp(data, b"POST ", 5) == 0:
        return 2
    if memcmp(data, b"HEAD ", 5) == 0:
        return 1
    if memcmp(data, b"PUT ", 4) == 0:
        return 3
    if memcmp(data, b"PATCH ", 6) == 0:
        return 4
    if memcmp(data, b"DELETE ", 7) == 0:
        return 5
    if memcmp(data, b"OPTIONS ", 8) == 0:
        return 6
    return -1


cdef bint read_line(const unsigned char* data, Py_ssize_t size, Py_ssize_t longest, Head* head) noexcept nogil:
    """Read the request line; return whether it is a common one."""
    cdef Py_ssize_t at
    head.method = read_method(data)
    if head.method < 0:
        return False
    at = (<const unsigned char*>memchr(data, 32, 8) - data) + 1
    if data[at] != b"/":
        return False
    head.target = at
    head.escaped = False
    while at < size and ROLES[data[at]] & TARGET and data[at] != b"?":
        if data[at] == b"%":
            head.escaped = True
        at += 1
    head.path_end = at
    while at < size and ROLES[data[at]] & TARGET:
        at += 1
    head.target_end = at
    head.fields = at + 11
    if head.fields > size or at + 9 > longest:
        return False
    return memcmp(data + at, b" HTTP/1.1\r\n", 11) == 0


cdef bint is_plain_host(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    """Return whether a Host is a name or an IPv4 address, with or without a port."""
    cdef Py_ssize_t at = 0
    while at < size and ROLES[text[at]] & HOST:
        at += 1
    if at == 0:
        return False
    if at < size:
        if text[at] != b":":
            return False
        at += 1
    while at < size and 48 <= text[at] <= 57:
        at += 1
    return at == size


cdef Py_ssize_t read_length(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    """Return the number of a Content-Length; -1 if it is malformed or too long."""
    cdef Py_ssize_t at, length = 0
    if not 0 < size <= LONGEST_LENGTH:
        return -1
    for at in range(size):
        if not 48 <= text[at] <= 57:
            return -1
        length = 10 * length + (text[at] - 48)
    return length


cdef inline void strip(const unsigned char** text, Py_ssize_t* size) noexcept nogil:
    """Remove spaces and tabs at both ends."""
    while size[0] and (text[0][0] == 32 or text[0][0] == 9):
        text[0] += 1
        size[0] -= 1
    while size[0] and (text[0][size[0] - 1] == 32 or text[0][size[0] - 1] == 9):
        size[0] -= 1


cdef bint take_field(
    const unsigned char* name, Py_ssize_t name_size, const unsigned char* text, Py_ssize_t size,
    Head* head, bint* has_host,
) noexcept nogil:
    """Record a field that decides about the framing; return False if Python must read the head."""
    if name_size == 4 and equals(name, b"host", 4):
        strip(&text, &size)
        if has_host[0] or not is_plain_host(text, size):
            return False
        has_host[0] = True
    elif name_size == 6 and equals(name, b"expect", 6):
        return False
    elif name_size == 7 and equals(name, b"upgrade", 7):
        return False
    elif name_size == 10 and equals(name, b"connection", 10):
        strip(&text, &size)
        return size == 10 and equals(text, b"keep-alive", 10)
    elif name_size == 14 and equals(name, b"content-length", 14):
        strip(&text, &size)
        if head.length >= 0:
            return False
        head.length = read_length(text, size)
        return head.length >= 0
    elif name_size == 16 and equals(name, b"proxy-connection", 16):
        return False
    elif name_size == 17 and equals(name, b"transfer-encoding", 17):
        return False
    return True


cdef bint read_head(const unsigned char* data, Py_ssize_t size, Bounds* bounds, Head* head) noexcept nogil:
    """Find the parts of the head at the beginning of `data`.

    Return False if the head is incomplete, uncommon or invalid: the Python code decides which.
    """
    cdef Py_ssize_t at, name_size, lines = 0
    cdef const unsigned char* end
    cdef bint has_host = False
    if size < SHORTEST_HEAD or not read_line(data, size, bounds.line, head):
        return False
    head.length = -1
    at = head.fields
    while True:
        if size - at < 2:
            return False
        if data[at] == 13:
            break
        end = <const unsigned char*>memchr(data + at, 10, size - at)
        if end == NULL or (end - 1)[0] != 13 or memchr(data + at, 13, end - 1 - (data + at)) != NULL:
            return False
        name_size = 0
        while ROLES[data[at + name_size]] & TOKEN:  # ends at the line feed at the latest
            name_size += 1
        if data[at + name_size] != b":" or name_size == 0:
            return False
        if not take_field(
            data + at, name_size, data + at + name_size + 1, end - 1 - (data + at + name_size + 1),
            head, &has_host,
        ):
            return False
        lines += 1
        at = end + 1 - data
    if data[at + 1] != 10:
        return False
    head.end = at + 2
    head.length = max(head.length, 0)
    return has_host and head.end <= bounds.head and lines <= bounds.fields


# Validation by llhttp.

cdef class Messages:
    """The callbacks for httptools: they count the complete messages."""

    cdef int ended

    def on_message_complete(self):
        self.ended += 1


cdef Messages counted = Messages()
cdef object feed = None  # the `feed_data` of a parser that has read complete messages only


cdef bint is_one_message(bytes message) except -1:
    """Return whether llhttp reads the bytes as exactly one complete message."""
    global feed
    if feed is None:
        feed = httptools.HttpRequestParser(counted).feed_data
    counted.ended = 0
    try:
        feed(message)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        feed = None
        return False
    if counted.ended != 1:
        feed = None
        return False
    return True


cdef int load_bounds(limits, Bounds* bounds) except -1:
    bounds.line = bound_of(limits.request_line)
    bounds.head = bound_of(limits.head)
    bounds.fields = bound_of(limits.headers)
    bounds.body = bound_of(limits.body)
    return 0


cdef Py_ssize_t bound_of(limit) except -1:
    """Return a limit as a C integer; None and huge limits become one that no data can reach."""
    return PY_SSIZE_T_MAX // 2 if limit is None or limit > PY_SSIZE_T_MAX // 2 else limit


def parse(bytes data, limits):
    """Parse the head at the beginning of `data`; return None if the core does not accept it.

    Return method, target, path, query, fields, the block of field lines, the length of the body,
    and the offset after the head. Tests compare the result with that of `HeadParser`.
    """
    cdef Bounds bounds
    cdef Head head
    cdef Py_ssize_t size = len(data)
    find_parts()
    load_bounds(limits, &bounds)
    if not read_head(<const unsigned char*>PyBytes_AS_STRING(data), size, &bounds, &head):
        return None
    if head.length > size - head.end or not is_one_message(data[:head.end + head.length]):
        return None
    block = data[head.fields:head.end]
    path, query = read_target(data, &head)
    target = data[head.target:head.target_end]
    fields = read_fields(block, {})
    return METHODS[head.method], target, path, query, fields, block, head.length, head.end
