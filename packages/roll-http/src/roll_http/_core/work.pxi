# The task of a request, which runs the application and then sends its response.

cdef extern from *:
    """
    /* Send a value to a coroutine; return the value that it yields or returns: `sent` says which. */
    static inline PyObject *roll_step(PyObject *coroutine, PyObject *sent_in, int *sent) {
        PyObject *value = NULL;
        *sent = PyIter_Send(coroutine, sent_in, &value);
        if (*sent == PYGEN_ERROR && !PyErr_Occurred()) {
            PyErr_NoMemory();  /* Python 3.13 loses an error if there is no memory. */
        }
        return value;
    }
    """
    object step "roll_step"(object coroutine, object value, int* sent)


cdef begin_task(loop):
    """Make a new task the current one and return it; return None within another task."""
    task = make_bare(Beginning, NOTHING)
    if swap_task is not None:
        other = swap_task(loop, task)
        if other is None:
            return task
        swap_task(loop, other)
        return None
    try:
        enter_task(loop, task)
    except RuntimeError:
        return None
    return task


cdef int end_task(loop, task) except -1:
    """Make no task the current one."""
    if swap_task is not None:
        swap_task(loop, None)
    else:
        leave_task(loop, task)
    return 0


cdef enum Outcome:  # the outcome of the first step of an application
    WAITS
    RETURNED
    RAISED
    LEFT  # nothing has run: Python awaits the object that the application returned


cdef class Work:
    """The coroutine of a request's task, from the second step on.

    It sends a common response itself, and leaves all others to `answer` in Python. If `answer`
    awaited the application from the start, and Roll's Python cycle awaited the handler, a handler
    with `sleep(0)` would take 6.2 us in process instead of 4.9.
    """

    cdef ConnectionBase connection
    cdef RequestBase request
    cdef int method
    cdef bytes target
    cdef object steps  # the coroutine of the application, then that of `answer`
    cdef bint in_python

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.go_on(None)

    def send(self, value):
        """Continue until the application waits again; return the object that it waits for."""
        return self.go_on(value)

    def throw(self, *error):
        """Raise an error where the work waits."""
        try:
            return self.steps.throw(*error)
        except StopIteration as end:
            result = end.value
        except BaseException as error:
            if self.in_python:
                raise
            self.leave_to_python(RAISED, error)
            return self.go_on(None)
        return self.end(result)

    def close(self):
        """Close the application."""
        self.steps.close()
        if not self.in_python:
            self.leave_to_python(RAISED, GeneratorExit())
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
        try:
            result = step(self.steps, value, &sent)
        except BaseException as error:
            if self.in_python:
                raise
            self.leave_to_python(RAISED, error)
            return self.go_on(None)
        return result if sent == PYGEN_NEXT else self.end(result)

    cdef object end(self, result):
        """Send the response of the application, or continue in Python if it is not common."""
        if self.in_python or self.connection.send(self.request, result, self.method, True, True):
            raise StopIteration
        self.leave_to_python(RETURNED, result)
        return self.go_on(None)

    cdef int leave_to_python(self, Outcome outcome, result) except -1:
        self.in_python = True
        head = make_bare(PythonHead, NOTHING)  # only the next two attributes are read
        head.method = METHODS[self.method]
        head.target = self.target
        if outcome != LEFT:
            result = returned(result) if outcome == RETURNED else raised(result)
        self.steps = answer(self.connection, head, result, self.request)
        return 0


cdef Work make_work(connection, request, int method, target, steps):
    cdef Work work = Work.__new__(Work)
    work.connection, work.request, work.method, work.target = connection, request, method, target
    work.steps = steps
    return work
