# The base class of connections, and the first step of a handler.
#
# The core answers requests as long as nothing has to wait. For a common request it does the same as
# `_begin_next`, `answer` and `finish` in `connection/`, in the same order. Uncommon requests
# continue in Python at the point that the core has reached.

from libc.math cimport INFINITY

cdef enum:  # as in `h1/state.py`
    IDLE = 0
    HEAD = 1
    ANSWERING = 2


cdef class ConnectionBase:
    """The slots of a connection, and its common requests."""

    cdef public object _context, _exchange, _lingering, _loop, _peer, _successor, app, limits, reader
    cdef public object on_shutdown, registry, request, response, writer
    cdef public bint _advancing, _failed, _stopping, gone, must_close
    cdef public double read_deadline, write_deadline
    cdef public int state
    cdef object the_transport, known_limits
    cdef Bounds bounds
    cdef double keep_alive_timeout

    def __init__(self, app):
        self.app = app
        self.limits = app.limits
        self.gone = self.must_close = False
        self.read_deadline = self.write_deadline = INFINITY
        self.request = self.response = None
        self.set_state(IDLE)
        self._advancing = False
        self._exchange = None
        self._failed = False
        self._lingering = None
        self._stopping = False
        self._successor = None
        self.on_shutdown = None

    @property
    def transport(self):
        if self.the_transport is None:
            raise AttributeError("The connection is not made yet")
        return self.the_transport

    @transport.setter
    def transport(self, transport):
        self.the_transport = transport

    def data_received(self, data):
        """Handle bytes from the client."""
        if self.state != IDLE or not PyBytes_CheckExact(data) or not self.may_answer():
            self._receive(data)
            return
        try:
            if self.reader.has_bytes or self.writer.paused or not self.advance(<bytes>data, 0, False):
                self._receive(data)
        except Exception:
            self.fail()

    def _resume(self):
        """Continue with the buffered requests."""
        if self.state == IDLE and self.may_answer() and not self.writer.paused and self.reader.has_bytes:
            data = self.reader._buffer
            if PyBytes_CheckExact(data) and self.advance(<bytes>data, self.reader._offset, True):
                return
        self._advance()

    cdef bint may_answer(self) except -1:
        """Return whether the state of the connection allows the core to begin a request."""
        find_parts()
        if self._advancing or self.must_close or self.gone or not plain_connections.takes(type(self)):
            return False
        if self.known_limits is not self.limits:
            load_bounds(self.limits, &self.bounds)
            self.keep_alive_timeout = self.limits.keep_alive_timeout
            self.known_limits = self.limits
        return True

    cdef bint advance(self, bytes data, Py_ssize_t at, bint buffered) except -1:
        """Answer the common requests at the beginning of the data.

        Return False if Python has to handle all of the data. Data after the answered requests are
        left in the buffer of the reader, as if Python had read the requests before.
        """
        cdef Head head
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data), behind
        cdef int turns = 0
        cdef bint goes_on = True
        reader, writer = self.reader, self.writer
        self._advancing = True
        try:
            while goes_on and turns < TURNS:
                if not self.find_request(data, at, &head, &behind):
                    break
                app = self.app
                cls = app.Request
                if not PyType_Check(cls) or not plain_requests.takes(cls):
                    break
                task = begin_task(self._loop)
                if task is None:
                    break
                try:
                    goes_on = behind < size
                    if goes_on or buffered:
                        if not buffered:
                            reader._buffer = data
                            reader.has_bytes = buffered = True
                        if goes_on:
                            reader._offset = behind
                            if not writer.corked:
                                writer.cork()
                        else:
                            reader._go_on_at(behind)
                    turns += 1
                    self.answer_one(task, cls, app, data, at, &head, buffered)
                finally:
                    end_task(self._loop, task)
                at = behind
                if goes_on:
                    goes_on = self.state <= HEAD and not writer.paused
            else:
                if buffered:
                    self._advancing = False
                    self._end_turns(turns)
                return True
        finally:
            self._advancing = False
        if not buffered:
            return False
        self._advance()
        return True

    cdef bint find_request(self, bytes data, Py_ssize_t at, Head* head, Py_ssize_t* behind) except -1:
        """Find the next request; return False if it is not common, or not complete."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data) - at
        cdef const unsigned char* text = <const unsigned char*>PyBytes_AS_STRING(data) + at
        if not read_head(text, size, &self.bounds, head) or head.length > size - head.end:
            return False
        behind[0] = at + head.end + head.length
        if behind[0] - at == PyBytes_GET_SIZE(data):
            return is_one_message(data)
        # Not a slice: 3 % more instructions for a pipelined request.
        return is_one_message(PyBytes_FromStringAndSize(<const char*>text, behind[0] - at))

    cdef int answer_one(
        self, task, cls, app, bytes data, Py_ssize_t at, Head* head, bint buffered
    ) except -1:
        """Answer a request, or begin to answer it if its handler waits."""
        context = PyContext_Copy(self._context)
        task.begun = ENDED, self._loop, context
        self.set_state(ANSWERING)
        self.read_deadline = INFINITY
        PyContext_Enter(context)
        try:
            self.take_first_step(task, cls, app, data, at, head, buffered)
        finally:
            PyContext_Exit(context)
        return 0

    cdef int take_first_step(
        self, task, cls, app, bytes data, Py_ssize_t at, Head* head, bint buffered
    ) except -1:
        """Call the application, and send its answer if nothing has to wait."""
        cdef RequestBase request = None
        cdef Outcome outcome = LEFT
        cdef int sent = PYGEN_RETURN
        steps = result = None
        try:
            request = make_request(cls, app, self, data, at, head)
            self.request = request
            response = self.response = make_response(app.Response, app, self, request)
            if type_has(app, "__answer_now__"):
                result = app.__answer_now__(request, response)
                if isinstance(result, ResponseBase):
                    outcome = RETURNED
            else:
                result = app(request, response)
            if outcome == LEFT and (PyCoro_CheckExact(result) or type_has(result, "cr_frame")):
                steps = result
                result = step(steps, None, &sent)
                outcome = WAITS if sent == PYGEN_NEXT else RETURNED
        except BaseException as error:
            outcome, result = RAISED, error
            if request is None:  # the application's request class raised: use Roll's own class
                request = self.request = make_request(PlainRequest, app, self, data, at, head)
        if outcome == RETURNED and self.send(request, result, head.method, buffered, False):
            return 0
        target = PyBytes_FromStringAndSize(
            PyBytes_AS_STRING(data) + at + head.target, head.target_end - head.target
        )
        self.go_on(task, make_work(self, request, head.method, target, steps), outcome, result)
        return 0

    def respond(self, response):
        """Send the response to the current request while its application still runs."""
        cdef Py_ssize_t size
        cdef RequestBase request
        cdef bytes sent = None
        if self.state == ANSWERING and not self.must_close and isinstance(self.request, RequestBase):
            request = <RequestBase>self.request
            if (
                response is self.response and request.keep_alive is True and self.opened is None
                and request.version == "1.1" and request.method != "HEAD"
                and request.method != "CONNECT" and self.reader.body is None
                and plain_responses.takes(type(response))
            ):
                try:
                    sent = render(<ResponseBase>response, self.registry.date, True, &size)
                except (KeyboardInterrupt, SystemExit, GeneratorExit):
                    raise
                except BaseException:  # the Python code raises it again with a clear message
                    sent = None
        if sent is None:
            return self._respond(response)
        self.responded = request
        self.writer.write(sent)
        if self.on_answered is not None:
            end_exchange(self, request, response, size, keep_alive=True)
        elif not self._advancing or self.gone:
            self.finish(True)
        else:  # the loop of `advance` continues: do what `finish` would do
            self.request = self.response = self._exchange = None
            self.set_state(IDLE)
            if not self.reader.has_bytes:
                self.read_deadline = <double>self.registry.now + self.limits.keep_alive_timeout
        return None

    cdef bint send(
        self, RequestBase request, result, int method, bint buffered, bint has_waited
    ) except -1:
        """Send a common response, and end its request; return False for any other response."""
        cdef Py_ssize_t size
        cdef bytes sent
        if self.request is not request:  # the response was sent, and the next request has begun
            if self.responded is request:
                self.responded = None
            return True
        if self.opened is not None:
            return False
        if self.state != ANSWERING or self.must_close or request.keep_alive is not True:
            return False
        if method == 1 or request.version != "1.1":  # a HEAD
            return False
        if result is not self.response or not plain_responses.takes(type(result)):
            return False
        request.method = METHODS[method]  # as received: the application may have changed it
        try:
            sent = render(<ResponseBase>result, self.registry.date, True, &size)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException:  # the Python code raises it again with a clear message
            return False
        if sent is None:
            return False
        if buffered:
            self.write(sent)
        else:
            self.the_transport.write(sent)
        if self.on_answered is not None:
            end_exchange(self, request, result, size, keep_alive=True)
        elif self.state != ANSWERING or self.must_close or self.gone:
            self.finish(True)
        elif has_waited and self.reader.has_bytes:
            self.finish(True)
        else:
            self.request = self.response = self._exchange = None
            self.set_state(IDLE)
            if not buffered or not self.reader.has_bytes:
                self.read_deadline = <double>self.registry.now + self.keep_alive_timeout
        return True

    cdef int write(self, bytes sent) except -1:
        """Write a response, or keep it for `uncork`, as `Writer.write` does.

        A call of that would execute 8 % more instructions for a pipelined request.
        """
        writer = self.writer
        if writer.corked:
            writer.kept.append(sent)
        else:
            writer.write(sent)
        return 0

    cdef int go_on(self, task, Work work, Outcome outcome, result) except -1:
        """Let a task continue a request that the core has begun."""
        cdef int sent = PYGEN_NEXT
        try:
            if outcome != WAITS:
                work.leave_to_python(outcome, result)
                result = step(work, None, &sent)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            fail_task(task, error)
        else:
            if sent == PYGEN_NEXT:
                continue_task(task, work, result)
        if self.state == ANSWERING or self.request is not None:
            self.exchange.task = task
        return 0

    cdef inline int set_state(self, int state) except -1:
        if watched is None:
            self.state = state
        else:
            watched(self, state)
        return 0


cdef object watched = None


def watch_states(enter):
    """Call `enter(connection, state)` instead of setting a state; for tests."""
    global watched
    watched = enter
