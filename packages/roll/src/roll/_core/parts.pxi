# The parts of Python's C API and of this package that the core uses.

from cpython.dict cimport PyDict_CheckExact, PyDict_GetItemWithError
from cpython.object cimport PyObject, PyTypeObject

cdef extern from "Python.h":
    bint PyCoro_CheckExact(object)
    bint PyTuple_CheckExact(object)
    bint PyUnicode_CheckExact(object)
    bint PyUnicode_IS_COMPACT_ASCII(object)
    const unsigned char* PyUnicode_1BYTE_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    bint PyBytes_CheckExact(object)
    bint PyList_CheckExact(object)
    object PyObject_GenericGetDict(object, void*)
    PyObject* _PyType_Lookup(PyTypeObject*, object)
    # They check that an error is set where nothing is returned: on 3.13, none may be without memory.
    object call_checked "PyObject_CallOneArg"(object, object)

    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT

cdef extern from *:
    """
    #ifndef ROLL_SOURCES
    #define ROLL_SOURCES ""
    #endif
    /* Send a value to a coroutine; return the value that it yields or returns: `sent` says which. */
    static inline PyObject *roll_step(PyObject *coroutine, PyObject *sent_in, int *sent) {
        PyObject *value = NULL;
        *sent = PyIter_Send(coroutine, sent_in, &value);
        if (*sent == PYGEN_ERROR && !PyErr_Occurred()) {
            PyErr_NoMemory();  /* Python 3.13 loses an error if there is no memory. */
        }
        return value;
    }
    /* A number that is unique to a state of a class; 0 until something looks an attribute up. */
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
    static inline PyObject *roll_new(PyObject *cls, PyObject *arguments) {
        return ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, arguments, NULL);
    }
    static inline PyObject *roll_call(PyObject *call, PyObject *a, PyObject *b, PyObject *c) {
        return PyObject_CallFunctionObjArgs(call, a, b, c, NULL);
    }
    static inline int roll_plain_access(PyObject *cls) {
        return ((PyTypeObject *)cls)->tp_getattro == PyObject_GenericGetAttr;
    }
    """
    const char* ROLL_SOURCES
    object step "roll_step"(object coroutine, object value, int* sent)
    unsigned int class_version "roll_version"(object)
    bint has_plain_access "roll_plain_access"(object)
    object make_bare "roll_new"(object cls, object arguments)
    object call_with_three "roll_call"(object call, object, object, object)
    object make_pair "roll_make_pair"(object cls, object, object)

cdef object Roll = None
cdef object Route = None
cdef object Arguments, HttpError, NOT_FOUND, answer_at_once, endpoint_of, unmatched, isawaitable
cdef object NOTHING, raised, returned, unfinished_hook
cdef dict ENDPOINTS
cdef dict originals  # the attributes of Roll with the names below; None if missing


cdef int find_parts() except -1:
    """Find the Python objects that the core uses; they import the core, so it imports them late."""
    global Arguments, ENDPOINTS, HttpError, NOT_FOUND, Roll, Route, answer_at_once, endpoint_of
    global NOTHING, isawaitable, originals, raised, returned, unfinished_hook, unmatched
    if Roll is not None:
        return 0
    from http import HTTPStatus
    from inspect import isawaitable

    from roll_http import HttpError

    from .. import application
    from ..errors import answer_at_once
    from ..arguments import Arguments
    from ..events import NOTHING, unfinished_hook
    from ..lookup import unmatched
    from ..views import ENDPOINTS, endpoint_of
    from .outcomes import raised, returned

    NOT_FOUND = HTTPStatus.NOT_FOUND
    Route = application.Route
    originals = {name: find(application.Roll, name) for name in OF_CLASS + OF_INSTANCE}
    Roll = application.Roll
    return 0
