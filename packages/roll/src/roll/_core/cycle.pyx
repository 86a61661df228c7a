# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: nonecheck=False, auto_pickle=False, embedsignature=False
"""The cycle of a common request: route, body, handler, as `Roll._cycle` goes through it.

The core gives way to `Roll.__call__` where an application has overridden a part of the cycle, or
listens to it. What has to wait, or has failed, goes on in `Roll._cycle`.
"""

from cpython.dict cimport PyDict_CheckExact, PyDict_GetItemWithError
from cpython.object cimport PyObject, PyTypeObject

cdef extern from "Python.h":
    bint PyCoro_CheckExact(object)
    bint PyTuple_CheckExact(object)
    bint PyUnicode_CheckExact(object)
    bint PyBytes_CheckExact(object)
    object PyObject_GenericGetDict(object, void*)
    PyObject* _PyType_Lookup(PyTypeObject*, object)

    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT

cdef extern from *:
    """
    #ifndef ROLL_SOURCES
    #define ROLL_SOURCES ""
    #endif
    /* Send a value to a coroutine; return what it yields, or returns, as `sent` tells. */
    static inline PyObject *roll_step(PyObject *coroutine, PyObject *sent_in, int *sent) {
        PyObject *value = NULL;
        *sent = PyIter_Send(coroutine, sent_in, &value);
        return value;
    }
    /* A number that no other state of any class has: 0 while nothing has looked the class up. */
    static inline unsigned int roll_version(PyObject *cls) {
        return ((PyTypeObject *)cls)->tp_version_tag;
    }
    static inline PyObject *roll_make_pair(PyObject *cls, PyObject *first, PyObject *second) {
        PyObject *pair = ((PyTypeObject *)cls)->tp_alloc((PyTypeObject *)cls, 2);
        if (pair != NULL) {
            PyTuple_SET_ITEM(pair, 0, Py_NewRef(first));
            PyTuple_SET_ITEM(pair, 1, Py_NewRef(second));
        }
        return pair;
    }
    static inline int roll_plain_access(PyObject *cls) {
        return ((PyTypeObject *)cls)->tp_getattro == PyObject_GenericGetAttr;
    }
    """
    const char* ROLL_SOURCES
    object step "roll_step"(object coroutine, object value, int* sent)
    unsigned int class_version "roll_version"(object)
    bint has_plain_access "roll_plain_access"(object)
    object make_pair "roll_make_pair"(object cls, object, object)

SOURCES = ROLL_SOURCES.decode()
"""What tells the sources that this module was built from; see `hatch_build.py`."""

cdef object Roll = None
cdef object Route = None
cdef object Arguments, HttpError, NOT_FOUND, answer_at_once, endpoint_of, unmatched, isawaitable
cdef object raised, returned
cdef dict ENDPOINTS
cdef dict originals  # of Roll: what the names below are there; None where there is nothing

# What an application that the core answers for has not overridden: in its class, or by itself.
cdef tuple OF_CLASS = ("__call__", "_cycle", "lookup", "on_error", "Route")
cdef tuple OF_INSTANCE = ("hooks", "routes", "strict_slashes", "_aliases", "result_advice")

# The last class that was judged, by the version of its state: any change makes another one.
cdef PyObject* judged = NULL
cdef unsigned int judged_version = 0
cdef bint judgement = False


cdef int find_parts() except -1:
    """Find the Python objects that the core uses; they import it, so it can't import them first."""
    global Arguments, ENDPOINTS, HttpError, NOT_FOUND, Roll, Route, answer_at_once, endpoint_of
    global isawaitable, originals, raised, returned, unmatched
    if Roll is not None:
        return 0
    from http import HTTPStatus
    from inspect import isawaitable

    from roll_http import HttpError

    from .. import application
    from ..errors import answer_at_once
    from ..arguments import Arguments
    from ..lookup import unmatched
    from .outcomes import raised, returned
    from ..views import ENDPOINTS, endpoint_of

    NOT_FOUND = HTTPStatus.NOT_FOUND
    Route = application.Route
    originals = {name: find(application.Roll, name) for name in OF_CLASS + OF_INSTANCE}
    Roll = application.Roll
    return 0


cdef find(cls, name):
    """Return what a class or its bases have by a name; None for nothing."""
    cdef PyObject* found = _PyType_Lookup(<PyTypeObject*>cls, name)
    return None if found == NULL else <object>found


cdef bint is_plain(cls) except -1:
    """Return whether a class of applications has overridden nothing of the cycle."""
    global judged, judged_version, judgement
    if judged != <PyObject*>cls or judged_version != class_version(cls) or not judged_version:
        judgement = has_plain_access(cls)
        for name, original in originals.items():
            judgement = judgement and find(cls, name) is original
        judged = <PyObject*>cls
        judged_version = class_version(cls)
    return judgement


cdef bint is_common(app, request, dict own) except -1:
    """Return whether nothing is overridden, aliased or listened to."""
    cdef PyObject* hooks = PyDict_GetItemWithError(own, "hooks")
    cdef PyObject* aliases = PyDict_GetItemWithError(own, "_aliases")
    if not is_plain(type(app)) or "lookup" in own or "Route" in own:
        return False
    if "_cycle" in own or "on_error" in own:
        return False
    if hooks == NULL or aliases == NULL or listens(<object>hooks):
        return False
    return not (<object>aliases).names


cdef bint listens(hooks) except -1:
    """Return whether there may be a listener of the cycle."""
    if not PyDict_CheckExact(hooks):
        return True
    if not <dict>hooks:
        return False
    return "headers" in <dict>hooks or "request" in <dict>hooks or "response" in <dict>hooks


def answer_now(app, request, response):
    """Return `response` once it is filled, or an awaitable that gives it."""
    cdef dict own
    find_parts()
    own = PyObject_GenericGetDict(app, NULL)
    if not is_common(app, request, own):
        return app(request, response)
    handler = left = None
    try:
        payload, variables = match(app, own, request)
        if payload is not None or not answer_missing(own, request, response):
            endpoint = find_endpoint(payload, request)
            if endpoint.special:
                if (
                    endpoint.host is not None
                    or endpoint.websocket is not None
                    or endpoint.timeout is not None
                ):
                    return app._cycle(request, response, True)
                variables = prepare(endpoint, variables, request)
            if not endpoint.lazy_body and not request.load_at_once():
                return app._cycle(request, response, True)
            handler = payload[endpoint.method]
            left = call(app, handler, request, response, variables)
    except BaseException as error:
        if not is_answered(app, request, response, error):
            left = raised(error)
    if type(left) is Waiting:
        return left
    if left is not None or is_unfinished(own, request, response):
        return app._cycle(request, response, True, (handler, left))
    return response


cdef bint answer_missing(dict own, request, response) except -1:
    """Answer a path that no route has, as `answer_at_once` does; return False for rare cases.

    Without the error that Python raises, a 404 takes 2.0 us in process instead of 3.5.
    """
    path = request.path
    if "error" in own["hooks"] or request.method == "CONNECT" or not PyUnicode_CheckExact(path):
        return False
    if not path or response.headers or request.upgrade is not None:
        return False
    response.status = NOT_FOUND
    response.body = path
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return True


cdef bint is_answered(app, request, response, error):
    """Answer an error at once; return False if that is not possible, or fails."""
    if not isinstance(error, HttpError):
        return False
    try:
        return answer_at_once(app, request, response, error)
    except Exception:  # the cycle in Python meets it again, and logs it
        return False


cdef bint is_unfinished(dict own, request, response) except -1:
    """Return whether more is to be done than to send the response."""
    body = response.body
    if not PyBytes_CheckExact(body) and not PyUnicode_CheckExact(body):
        return True
    return request.late is not None or request.upgrade is not None or listens(own["hooks"])


cdef match(app, dict own, request):
    """Set the route of the request; return what it is made of, payload and variables."""
    match = own["routes"].match
    found = match(request.path)
    payload, variables = found
    if payload is None and (app.strict_slashes is not True or request.path == "*"):
        found = payload, variables = unmatched(match, request, strict_slashes=app.strict_slashes)
    request.route = make_pair(Route, payload, variables)
    return found


cdef find_endpoint(payload, request):
    """Return what governs the handler of a request, as `endpoint_of` does."""
    cdef PyObject* found
    if PyDict_CheckExact(payload):
        found = PyDict_GetItemWithError(ENDPOINTS, request.method)
        if found != NULL:
            found = PyDict_GetItemWithError(payload, <object>found)
            if found != NULL and (<object>found).method in <dict>payload:
                return <object>found
    return endpoint_of(payload, request)


cdef prepare(endpoint, variables, request):
    """Apply what is special about an endpoint; return the arguments of its handler."""
    if endpoint.conversions:
        variables = Arguments(endpoint.conversions, variables, request.path).of(variables)
    for name, value in endpoint.settings:
        setattr(request, name, value)
    return variables


cdef call(app, handler, request, response, variables):
    """Call the handler; return what is left to be awaited, None if nothing is."""
    cdef int sent = PYGEN_RETURN
    result = handler(request, response, **variables) if variables else handler(request, response)
    if PyCoro_CheckExact(result):
        value = step(result, None, &sent)
        if sent == PYGEN_NEXT:
            return waiting(app, request, response, handler, result, value)
        result = value
    elif result is not None and (hasattr(result, "__await__") or isawaitable(result)):
        return result
    if result is not None:
        app.result_advice.look_at(handler, result, (request, response))
    return None


cdef Waiting waiting(app, request, response, handler, coroutine, waited):
    """Return what is left of a cycle whose handler waits."""
    cdef Waiting left = Waiting.__new__(Waiting)
    left.app, left.request, left.response, left.handler = app, request, response, handler
    left.steps, left.waited = coroutine, waited
    return left


cdef class Waiting:
    """An awaitable: a handler that waits, and what follows it, up to the response.

    It leaves to the cycle in Python what is not common. That is cheaper than to have that await the
    handler: see `Work` in roll-http.
    """

    cdef object app, request, response, handler
    cdef object steps  # the coroutine of the handler, then that of the cycle in Python
    cdef object waited  # what the first step of the handler waits for
    cdef bint has_begun, in_python

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.go_on(None)

    def send(self, value):
        """Yield what the handler waits for; end with the response."""
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
        return getattr(self.steps, name)  # asyncio shows where a task waits

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
        """Give the response, or go on in Python if more is to be done."""
        if self.in_python:
            raise StopIteration(result)
        if result is not None:
            self.leave_to_python(returned(result))
        elif is_unfinished(PyObject_GenericGetDict(self.app, NULL), self.request, self.response):
            self.leave_to_python(None)
        else:
            raise StopIteration(self.response)
        return self.go_on(None)

    cdef int leave_to_python(self, result) except -1:
        self.in_python = True
        self.steps = self.app._cycle(self.request, self.response, True, (self.handler, result))
        return 0
