# A handler that waits, and the steps after it.


cdef Waiting waiting(app, request, response, handler, coroutine, waited):
    """Return an awaitable for the rest of a cycle whose handler waits."""
    cdef Waiting left = Waiting.__new__(Waiting)
    left.app, left.request, left.response, left.handler = app, request, response, handler
    left.steps, left.waited = coroutine, waited
    return left


cdef class Waiting:
    """An awaitable for a handler that waits, and for the steps up to the response.

    Uncommon steps are left to the Python cycle. This is cheaper than letting the Python cycle await
    the handler: see `Work` in roll-http.
    """

    cdef object app, request, response, handler
    cdef object steps  # the coroutine of the handler, then that of the Python cycle
    cdef object waited  # the object that the first step of the handler waits for
    cdef bint has_begun, in_python

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.go_on(None)

    def send(self, value):
        """Yield the objects that the handler waits for; end with the response."""
        return self.go_on(value)

    def throw(self, *error):
        """Raise an error where the handler waits."""
        self.has_begun, self.waited = True, None
        try:
            return self.steps.throw(*error)
        except StopIteration as end:
            result = end.value
        except BaseException as error:
            if self.in_python:
                raise
            self.leave_to_python(raised(error))
            return self.go_on(None)
        return self.end(result)

    def close(self):
        """Close the handler."""
        self.steps.close()
        if not self.in_python:
            self.leave_to_python(raised(GeneratorExit()))
            try:
                self.go_on(None)
            except GeneratorExit:
                pass

    @property
    def cr_frame(self):
        return self.steps.cr_frame

    def __getattr__(self, name):
        return getattr(self.steps, name)  # asyncio uses it to show where a task waits

    cdef object go_on(self, value):
        cdef int sent = PYGEN_RETURN
        if not self.has_begun:
            self.has_begun = True
            waited, self.waited = self.waited, None
            return waited
        try:
            result = step(self.steps, value, &sent)
        except BaseException as error:
            if self.in_python:
                raise
            self.leave_to_python(raised(error))
            return self.go_on(None)
        return result if sent == PYGEN_NEXT else self.end(result)

    cdef object end(self, result):
        """Return the response, or continue in Python if more steps are needed."""
        if self.in_python:
            raise StopIteration(result)
        if result is not None:
            self.leave_to_python(returned(result))
            return self.go_on(None)
        own = PyObject_GenericGetDict(self.app, NULL)
        left = finish(self.app, own, self.request, self.response)
        if left is self.response:
            raise StopIteration(left)
        self.in_python, self.steps = True, left
        return self.go_on(None)

    cdef int leave_to_python(self, result) except -1:
        self.in_python = True
        self.steps = self.app._cycle(self.request, self.response, True, (self.handler, result))
        return 0
