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
    /* Run a coroutine to where it waits or ends, and return what it yields or returns. */
    static inline PyObject *roll_step(PyObject *coroutine, int *sent) {
        PyObject *value = NULL;
        *sent = PyIter_Send(coroutine, Py_None, &value);
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
    object step "roll_step"(object, int*)
    unsigned int class_version "roll_version"(object)
    bint has_plain_access "roll_plain_access"(object)
    object make_pair "roll_make_pair"(object cls, object, object)

SOURCES = ROLL_SOURCES.decode()
"""What tells the sources that this module was built from; see `hatch_build.py`."""

cdef object Roll = None
cdef object Route = None
cdef object Arguments, HttpError, NOT_FOUND, answer_at_once, endpoint_of, unmatched, isawaitable
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
    global Arguments, ENDPOINTS, HttpError, NOT_FOUND, Roll, Route, answer_at_once, endpoint_of, isawaitable
    global originals, unmatched
    if Roll is not None:
        return 0
    from http import HTTPStatus
    from inspect import isawaitable

    from roll_http import HttpError

    from .. import application
    from ..errors import answer_at_once
    from ..arguments import Arguments
    from ..lookup import unmatched
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
                if endpoint.websocket is not None or endpoint.timeout is not None:
                    return app._cycle(request, response, True)
                variables = prepare(endpoint, variables, request)
            if not endpoint.lazy_body and not request.load_at_once():
                return app._cycle(request, response, True)
            handler = payload[endpoint.method]
            left = call(app, handler, request, response, variables)
    except BaseException as error:
        if not is_answered(app, request, response, error):
            left = begun_with(RAISED, None, error)
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
        value = step(result, &sent)
        if sent == PYGEN_NEXT:
            return begun_with(WAITS, result, value)
        result = value
    elif result is not None and (hasattr(result, "__await__") or isawaitable(result)):
        return result
    if result is not None:
        app.result_advice.look_at(handler, result, (request, response))
    return None


cdef enum Outcome:
    WAITS
    RAISED
    GOES_ON


cdef class Begun:
    """An awaitable: what is left of a handler's coroutine after its first step."""

    cdef object coroutine, value
    cdef Outcome outcome

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        """Yield what the first step waits for, or raise its error; then go on."""
        outcome, held = self.outcome, self.value
        self.outcome, self.value = GOES_ON, None
        if outcome == GOES_ON:
            return self.coroutine.send(value)
        if outcome == RAISED:
            raise held
        return held

    def throw(self, *error):
        """Raise an error where the coroutine waits."""
        return self.coroutine.throw(*error)

    def close(self):
        """Close the coroutine."""
        if self.coroutine is not None:
            self.coroutine.close()


cdef Begun begun_with(Outcome outcome, coroutine, value):
    cdef Begun begun = Begun.__new__(Begun)
    begun.outcome = outcome
    begun.coroutine = coroutine
    begun.value = value
    return begun
