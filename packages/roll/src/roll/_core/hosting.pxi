# A common request to a mounted ASGI application: its scope, its first step, a short response.
# Uncommon requests continue in Python, in `hosting/`.

cdef object Exchange = None, addresses, copied, http_scope, lower_fields, put_back, set_status
cdef object spelling, text_of
cdef dict EXTENSIONS, known_fields

cdef enum:  # as in `bases.py`
    NEW = 0
    STARTED = 1
    OPEN = 2
    DONE = 3
    SHORT = 65536  # as `SLICE` of roll-http


cdef int find_hosting() except -1:
    """Find the Python objects that the core uses; they import the core, so it imports them late."""
    global Exchange, EXTENSIONS, addresses, copied, http_scope, known_fields, lower_fields
    global make_way, put_back, set_status, spelling, text_of
    if Exchange is not None:
        return 0
    from roll_http.h1.statuses import set_status
    from roll_http.raw_fields import lower_fields

    from ..hosting import fields, scope
    from ..hosting.http import Exchange as ExchangeOfMessages

    EXTENSIONS, addresses, http_scope = scope.EXTENSIONS, scope.addresses, scope.http_scope
    known_fields, spelling, text_of = fields.known, fields.spelling, fields.text_of
    copied, make_way, put_back = fields.copied, fields.make_way, fields.put_back
    Exchange = ExchangeOfMessages
    return 0


cdef class Ended:
    """An awaitable that ends at once; a task accepts it too."""

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration

    def send(self, value):
        """End at once."""
        raise StopIteration

    def throw(self, *error):
        """Raise an error."""
        raise error[1] if len(error) > 1 and error[1] is not None else error[0]

    def close(self):
        """Do nothing."""


cdef Ended ENDED = Ended()


cdef class ExchangeBase:
    """The slots of an exchange, and the common messages of its application."""

    cdef public object app, body, connection, host, length, opening, outgoing, over, reading
    cdef public object refusal
    cdef public object put, request, response, trailers
    cdef public int state, queued
    cdef public bint ending, told

    def __init__(self, host, app, request, response):
        find_hosting()
        self.host = host
        self.app = app
        self.request = request
        self.response = response
        self.connection = request.protocol
        if request._stream is None and request._body is None and request.max_body is None:
            self.body = request._whole
        else:
            self.body = request.take_body()
        self.state = NEW
        self.ending = False
        self.queued = 0
        self.told = False

    def send(self, message):
        """Handle a message of the application; return an awaitable for it."""
        # What was sent before, and has not begun, must not be overtaken.
        if self.queued > 0 or self.told or self.refusal is not None or not PyDict_CheckExact(message):
            self.queued += 1
            return self.take(message)
        kind = (<dict>message).get("type")
        if self.state == STARTED and kind == "http.response.body":
            body = (<dict>message).get("body", b"")
            if PyBytes_CheckExact(body) and self.is_whole(<dict>message, <bytes>body):
                return self.send_whole(<bytes>body)
        elif self.state == OPEN and self.put is not None and kind == "http.response.body":
            body = (<dict>message).get("body", b"")
            if self.is_piece(<dict>message, body):
                return self.drain() if self.put(body) else ENDED
        elif self.state == NEW and kind == "http.response.start":
            if self.begin(<dict>message):
                return ENDED
        self.queued += 1
        return self.take(message)

    cdef bint begin(self, dict message) except -1:
        """Handle the head of a response; return False if the Python code has to handle it."""
        cdef PyObject* status = PyDict_GetItemWithError(message, "status")
        cdef dict headers, kept
        fields = message.get("headers")
        if status == NULL or not (PyList_CheckExact(fields) or PyTuple_CheckExact(fields)):
            return False
        if message.get("trailers", False):
            return False
        headers = self.response.headers
        kept = copied(headers) if headers else {}
        try:
            length = take_fields(headers, fields)
            if type(<object>status) is not int or <object>status != 200:
                set_status(self.response, <object>status)
        except BaseException:
            put_back(headers, kept)
            raise
        self.length = length
        self.state = STARTED
        return True

    cdef bint is_whole(self, dict message, bytes body) except -1:
        """Return whether a message has a complete body that can be sent unchanged."""
        if message.get("more_body", False) or self.trailers is not None:
            return False
        if self.length is not None and self.length != str(len(body)):
            return False
        if self.request.late is not None or self.request.upgrade is not None:
            return False
        return "response" not in self.app.hooks

    cdef bint is_piece(self, dict message, body) except -1:
        """Return whether a message has a short piece that is not the last, for a connected client."""
        if not PyBytes_CheckExact(body) or len(<bytes>body) > SHORT or self.connection.gone:
            return False
        return message.get("more_body", False)

    cdef send_whole(self, bytes body):
        self.response.body = body
        self.state = DONE
        sending = self.connection.respond(self.response)
        if sending is not None:
            return self.until_sent(sending)
        if self.over is not None:
            self.over.set()
        return ENDED


cdef take_fields(dict headers, fields):
    """Add fields to those of a response; return their Content-Length, None without one."""
    cdef PyObject* found
    if headers:
        make_way(headers, fields)
    for name, value in fields:
        found = NULL
        if PyBytes_CheckExact(name):
            found = PyDict_GetItemWithError(known_fields, name)
        key = spelling(name) if found == NULL else <object>found
        text = text_of(value)
        if key == "Transfer-Encoding":
            continue
        found = PyDict_GetItemWithError(headers, key)
        if found == NULL:
            headers[key] = text
        elif isinstance(<object>found, list):
            (<list><object>found).append(text)
        else:
            headers[key] = [<object>found, text]
    return headers.pop("Content-Length", None)


cdef dict make_scope(host, request):
    """Return the scope of a request, as `http_scope` does."""
    cdef bytes url = request.url
    cdef Py_ssize_t at
    cdef dict scope
    block = request._block
    if request.forwarded is not None or block is None or not url.startswith(b"/"):
        return http_scope(request, host.prefix, host.state)
    connection = request.protocol
    try:
        found = connection.asgi_addresses
    except AttributeError:
        found = addresses(connection)
    server, client, scheme = <tuple>found
    at = url.find(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.version,
        "server": server,
        "client": client,
        "scheme": scheme,
        "method": request.method,
        "root_path": host.prefix,
        "path": request.path,
        "raw_path": url if at < 0 else url[:at],
        "query_string": b"" if at < 0 else url[at + 1:],
        "headers": lower_fields(block),
        "state": (<dict>host.state).copy(),
        "extensions": EXTENSIONS.copy(),
    }
    return scope


cdef serve_host(app, endpoint, request, response):
    """Call a mounted application; return the response if it was sent, or an awaitable for it."""
    cdef int sent = PYGEN_RETURN
    host = endpoint.host
    find_hosting()
    for name, value in endpoint.settings:
        setattr(request, name, value)
    exchange = Exchange(host, app, request, response)
    scope = make_scope(host, request)
    begun = None
    try:
        begun = host.application(scope, exchange.receive, exchange.send)
        if PyCoro_CheckExact(begun):
            coroutine, begun = begun, None
            value = step(coroutine, None, &sent)
            if sent == PYGEN_NEXT:
                begun = begun_with(coroutine, value)
    except BaseException as error:
        begun = raised(error)
    if begun is None and (<ExchangeBase>exchange).state == DONE:
        return response
    return host.go_on(exchange, begun)


cdef class Begun:
    """An awaitable for the rest of an application's coroutine after its first step."""

    cdef object coroutine, value
    cdef bint goes_on

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        """Yield the object that the first step waits for, then continue."""
        if self.goes_on:
            return self.coroutine.send(value)
        held, self.value, self.goes_on = self.value, None, True
        return held

    def throw(self, *error):
        """Raise an error where the coroutine waits."""
        self.goes_on = True
        return self.coroutine.throw(*error)

    def close(self):
        """Close the coroutine."""
        self.coroutine.close()


cdef Begun begun_with(coroutine, value):
    cdef Begun begun = Begun.__new__(Begun)
    begun.coroutine = coroutine
    begun.value = value
    return begun
