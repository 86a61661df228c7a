# The cookies of a request, and the lines that set some in a response.
#
# Common are cookies of plain ASCII in one line, without quotes and escapes. Python reads all others.

cdef object Cookies = None  # set by `find_parts`
cdef object Cookie = None
cdef object cookies_in_python = None
cdef object format_cookies = None


cdef int find_cookie(bytes block, const unsigned char** text, Py_ssize_t* size) noexcept:
    """Find the value of the `Cookie` line in a header block; return how many lines there are."""
    cdef const unsigned char* line = <const unsigned char*>PyBytes_AS_STRING(block)
    cdef const unsigned char* stop = line + PyBytes_GET_SIZE(block) - 2
    cdef const unsigned char* end
    cdef int lines = 0
    while line < stop:
        end = <const unsigned char*>memchr(line, 13, stop - line)
        if end == NULL:
            break
        if end - line > 6 and line[6] == b":" and equals(line, b"cookie", 6):
            text[0], size[0] = line + 7, end - line - 7
            lines += 1
        line = end + 2
    return lines


cdef bint is_plain_cookie(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    """Return whether a value is ASCII, without quotes and escapes."""
    cdef unsigned char odd = 0
    cdef Py_ssize_t at
    for at in range(size):
        odd |= (text[at] >= 128) | (text[at] == b'"') | (text[at] == b"%")
    return not odd


cdef str read_plain(const unsigned char* text, Py_ssize_t size):
    """Return a piece of ASCII without the spaces and tabs at both ends."""
    strip(&text, &size)
    return PyUnicode_DecodeASCII(<const char*>text, size, NULL)


cdef int add_cookie(dict cookies, const unsigned char* pair, Py_ssize_t size) except -1:
    """Add a pair of a name and a value; a pair without `=`, or without a name, is skipped."""
    cdef const unsigned char* equal = <const unsigned char*>memchr(pair, b"=", size)
    if equal != NULL:
        name = read_plain(pair, equal - pair)
        if name:
            PyDict_SetItem(cookies, name, read_plain(equal + 1, pair + size - equal - 1))
    return 0


cpdef dict read_cookies(bytes block):
    """Return the cookies of a header block, as `parse_cookies` does; None if they are not common."""
    cdef const unsigned char* text = NULL
    cdef const unsigned char* end
    cdef Py_ssize_t size = 0
    cdef int lines
    find_parts()
    lines = find_cookie(block, &text, &size)
    if lines > 1 or not is_plain_cookie(text, size):
        return None
    cookies = <dict>make_bare(Cookies, NOTHING)
    while size > 0:
        end = <const unsigned char*>memchr(text, b";", size)
        if end == NULL:
            end = text + size
        add_cookie(cookies, text, end - text)
        size -= end + 1 - text
        text = end + 1
    return cookies


def get_cookies(RequestBase request):
    """Return the cookies of a request, as `Request.cookies` does.

    Python makes all header fields for it: a cookie takes 0.2 us here instead of 0.9.
    """
    if request._cookies is None:
        find_parts()
        if request.fields is not LATER or not PyBytes_CheckExact(request._block):
            return call_checked(cookies_in_python, request)
        if request._own_headers or (request.app is not None and request.app.Cookies is not Cookies):
            return call_checked(cookies_in_python, request)
        request._cookies = read_cookies(<bytes>request._block)
        if request._cookies is None:
            return call_checked(cookies_in_python, request)
    return request._cookies


cdef str cookie_lines(ResponseBase response):
    """Return the lines that set cookies; None if there may be others than plain ones."""
    cdef str lines = ""
    if response._cookies is None:
        return lines
    if type(response._cookies) is not Cookies:
        return None
    for cookie in list(response._cookies.values()):
        if type(cookie) is not Cookie:
            return plain_ascii(format_cookies(response._cookies.output()))
        line = str(cookie)
        if not is_printable(line):
            return None
        lines = f"{lines}Set-Cookie: {line}\r\n"
    return lines


cdef str plain_ascii(str lines):
    return lines if PyUnicode_IS_COMPACT_ASCII(lines) else None
