# The base classes of requests and responses, as in `bases.py`; fields are created on demand.

from http import HTTPStatus

from .bases import RequestBase as PythonRequest, ResponseBase as PythonResponse, UNSET as unset

cdef object OK = HTTPStatus.OK
cdef object UNSET = unset
cdef object Headers = None  # set by `find_parts`
cdef object percent_decode = None

# The value of `fields` until they are first read.
cdef object LATER = object()


cdef class RequestBase(dict):
    """The slots of a request."""

    # Copies and pickles read these names here.
    __slots__ = (
        "_block", "_body", "_cancel_on_disconnect", "_cookies", "_headers", "_json", "_kwargs",
        "_stream", "_whole", "app", "keep_alive", "max_body", "method", "path", "protocol",
        "query_string", "route", "upgrade", "url", "version",
    )

    cdef public object _block, _body, _cancel_on_disconnect, _cookies, _json, _kwargs, _stream
    cdef public object _whole, app, keep_alive, max_body, method, path, protocol, query_string
    cdef public object route, upgrade, url, version
    cdef object fields  # LATER until they are first read

    def __init__(self, app, protocol):
        find_parts()
        if plain_requests.takes(type(self)):
            reset_request(self, app, protocol)
            fill_slots(self)
        else:  # a subclass may have descriptors of these names
            PythonRequest.__init__(self, app, protocol)
            for slot in own_slots(type(self)):
                slot.__set__(self, None)

    _own_slots = ()

    def set_head(self, head):
        """Set the attributes from a head; the connection calls this once."""
        PythonRequest.set_head(self, head)

    def load_at_once(self):
        """Load the body if it arrived with the head; return whether `body` is loaded.

        If it is not loaded, await `load_body`. Raise `HttpError` 413 as `load_body` does.
        """
        if self._body is None:
            find_parts()
            if self._stream is not None or not plain_loading.takes(type(self)):
                return False
            if self._whole and not fits(self):
                check_size(len(self._whole), self._loaded_limit())
            self._body = self._whole
        return True

    @property
    def _headers(self):
        if self.fields is LATER:
            self.fields = {} if self._block is None else read_fields(self._block, Headers.__new__(Headers))
        return self.fields

    @_headers.setter
    def _headers(self, fields):
        self.fields = fields


cdef bint fits(RequestBase request) except -1:
    """Return whether the body is certainly within the limits of its connection."""
    cdef ConnectionBase connection
    if request.max_body is not None or not isinstance(request.protocol, ConnectionBase):
        return False
    connection = <ConnectionBase>request.protocol
    if connection.known_limits is None or connection.known_limits is not connection.limits:
        return False
    return len(request._whole) <= connection.bounds.body


cdef list own_slots(cls):
    """Return the slots that subclasses have added."""
    slots = []
    for base in cls.__mro__:
        if base is RequestBase:
            break
        slots += [slot for slot in base.__dict__.values() if isinstance(slot, MemberDescriptorType)]
    return slots


cdef int fill_slots(RequestBase request) except -1:
    """Set the slots that subclasses have added to None; looking each up would take 1.9 us more."""
    cdef Verdict* verdict = plain_requests.verdict(type(request))
    cdef int i
    for i in range(verdict.slots):
        fill_slot(request, verdict.offsets[i])
    return 0


cdef inline void reset_request(RequestBase request, app, protocol) noexcept:
    """Set the initial values."""
    request.app = app
    request.protocol = protocol
    request.url = b""
    request.path = ""
    request.query_string = ""
    request.method = None
    request.fields = LATER
    request.version = "1.1"
    request.keep_alive = True
    request.upgrade = None
    request.route = None
    request.max_body = None
    request._block = None
    request._cancel_on_disconnect = False
    request._body = None
    request._stream = None
    request._whole = b""
    request._cookies = None
    request._json = UNSET
    request._kwargs = None


cdef class ResponseBase:
    """The slots of a response."""

    __slots__ = ("_cookies", "_status", "app", "body", "headers", "protocol", "request")

    cdef public object _cookies, _status, app, body, protocol, request
    cdef object fields  # LATER until they are first read

    def __init__(self, app, protocol):
        find_parts()
        if plain_responses.takes(type(self)):
            reset_response(self, app, protocol)
        else:
            PythonResponse.__init__(self, app, protocol)

    @property
    def headers(self):
        if self.fields is LATER:
            self.fields = {}
        return self.fields

    @headers.setter
    def headers(self, fields):
        self.fields = fields


cdef inline void reset_response(ResponseBase response, app, protocol) noexcept:
    """Set the initial values."""
    response.app = app
    response.protocol = protocol
    response.request = None
    response.fields = LATER
    response.body = b""
    response._status = OK
    response._cookies = None


cdef tuple read_target(bytes data, Head* head):
    """Return the path and the query of the target of a head."""
    cdef const char* text = PyBytes_AS_STRING(data)
    path = PyUnicode_DecodeASCII(text + head.target, head.path_end - head.target, NULL)
    if head.escaped:
        path = percent_decode(path)
    query = ""
    if head.target_end > head.path_end + 1:
        size = head.target_end - head.path_end - 1
        query = PyUnicode_DecodeASCII(text + head.path_end + 1, size, NULL)
    return path, query


cdef RequestBase make_request(cls, app, connection, bytes data, Py_ssize_t start, Head* head):
    """Return a request of a plain class, with the attributes of its head."""
    cdef RequestBase request
    cdef const char* text = PyBytes_AS_STRING(data) + start
    if has_plain_call(cls, RequestBase):
        request = <RequestBase>make_bare(cls, NOTHING)
        reset_request(request, app, connection)
        fill_slots(request)
    else:
        request = cls(app, connection)
    request.method = METHODS[head.method]
    request.url = PyBytes_FromStringAndSize(text + head.target, head.target_end - head.target)
    request.path = PyUnicode_DecodeASCII(text + head.target, head.path_end - head.target, NULL)
    if head.escaped:
        request.path = percent_decode(request.path)
    if head.target_end > head.path_end + 1:
        request.query_string = PyUnicode_DecodeASCII(
            text + head.path_end + 1, head.target_end - head.path_end - 1, NULL
        )
    request._block = PyBytes_FromStringAndSize(text + head.fields, head.end - head.fields)
    request.fields = LATER
    if head.length:
        request._whole = PyBytes_FromStringAndSize(text + head.end, head.length)
    return request


cdef make_response(cls, app, connection, RequestBase request):
    """Return a response of any class, for a request."""
    cdef ResponseBase response
    if PyType_Check(cls) and plain_responses.takes(cls) and has_plain_call(cls, ResponseBase):
        response = <ResponseBase>make_bare(cls, NOTHING)
        reset_response(response, app, connection)
        response.request = request
        return response
    made = cls(app, connection)
    made.request = request
    return made
