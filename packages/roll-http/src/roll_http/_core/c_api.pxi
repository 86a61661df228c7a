# The parts of Python's C API that the core uses, and checks that a class overrides nothing.

from types import MemberDescriptorType

cimport cython
from cpython.bytes cimport (
    PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE,
)
from cpython.dict cimport PyDict_CheckExact, PyDict_GetItemWithError, PyDict_Next, PyDict_SetItem
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.unicode cimport (
    PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII, PyUnicode_DecodeLatin1, PyUnicode_DecodeUTF8,
)
from libc.string cimport memchr, memcmp, memcpy, memset

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1
    bint PyUnicode_CheckExact(object)
    bint PyUnicode_IS_COMPACT_ASCII(object)
    const unsigned char* PyUnicode_1BYTE_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    bint PyCoro_CheckExact(object)
    # Declared as `object`, so that Cython checks for an error: on Python 3.13, a call that fails for
    # lack of memory may return NULL without an error.
    object call_checked "PyObject_CallOneArg"(object, object)
    object PyContext_Copy(object)
    int PyContext_Enter(object) except -1
    int PyContext_Exit(object) except -1
    bint PyType_Check(object)
    bint PyObject_TypeCheck(object, PyTypeObject*)

    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT

    PySendResult PyIter_Send(object, object, PyObject**)
    PyObject* _PyType_Lookup(PyTypeObject*, object)

cdef extern from *:
    """
    #include <structmember.h>
    /* A number that is unique to a state of a class; 0 until something looks an attribute up. */
    static inline unsigned int roll_class_version(PyObject *cls) {
        return ((PyTypeObject *)cls)->tp_version_tag;
    }
    static inline int roll_plain_access(PyObject *cls, PyObject *base) {
        return ((PyTypeObject *)cls)->tp_getattro == PyObject_GenericGetAttr
            && ((PyTypeObject *)cls)->tp_setattro == ((PyTypeObject *)base)->tp_setattro;
    }
    static inline int roll_plain_call(PyObject *cls, PyObject *base) {
        return Py_TYPE(cls) == &PyType_Type
            && ((PyTypeObject *)cls)->tp_new == ((PyTypeObject *)base)->tp_new
            && ((PyTypeObject *)cls)->tp_init == ((PyTypeObject *)base)->tp_init;
    }
    static inline Py_ssize_t roll_slot_offset(PyObject *slot) {
        return ((PyMemberDescrObject *)slot)->d_member->offset;
    }
    /* Set a slot to None. */
    static inline void roll_fill_slot(PyObject *object, Py_ssize_t offset) {
        PyObject **slot = (PyObject **)((char *)object + offset);
        Py_XSETREF(*slot, Py_NewRef(Py_None));
    }
    static inline int roll_type_has(PyObject *object, PyObject *name) {
        return _PyType_Lookup(Py_TYPE(object), name) != NULL;
    }
    static inline PyObject *roll_new(PyObject *cls, PyObject *arguments) {
        return ((PyTypeObject *)cls)->tp_new((PyTypeObject *)cls, arguments, NULL);
    }
    static inline PyObject *roll_get(PyObject *descriptors, Py_ssize_t at, PyObject *object) {
        PyObject *descriptor = PyTuple_GET_ITEM(descriptors, at);
        PyObject *cls = (PyObject *)Py_TYPE(object);
        return Py_TYPE(descriptor)->tp_descr_get(descriptor, object, cls);
    }
    """
    object get_attribute "roll_get"(tuple descriptors, Py_ssize_t at, object)
    unsigned int class_version "roll_class_version"(object)
    bint has_plain_access "roll_plain_access"(object, object)
    bint has_plain_call "roll_plain_call"(object, object)
    bint type_has "roll_type_has"(object, object)
    Py_ssize_t slot_offset "roll_slot_offset"(object)
    void fill_slot "roll_fill_slot"(object, Py_ssize_t)
    object make_bare "roll_new"(object, object)

cdef tuple NOTHING = ()


# A class can change between two requests, for example if an attribute is set. So a verdict on a
# class holds for one version of the class. Python gives each state of a class a new version number
# and never uses a number twice.
cdef enum:
    VERDICTS = 16  # for each base class: an application has a few classes
    MOST_SLOTS = 16  # a class with more is not plain

cdef struct Verdict:
    PyObject* cls
    unsigned int version
    bint plain
    int slots  # the number of slots that subclasses have added
    Py_ssize_t[MOST_SLOTS] offsets  # the offsets of these slots


cdef class Plain:
    """Tells whether a class is plain: it overrides nothing that the core would skip."""

    cdef Verdict[VERDICTS] verdicts
    cdef object base
    cdef dict originals  # name -> the attribute that a plain class must have

    def __init__(self, cls, base, names):
        self.base = base
        self.originals = {name: <object>_PyType_Lookup(<PyTypeObject*>cls, name) for name in names}
        memset(self.verdicts, 0, sizeof(self.verdicts))

    cdef bint takes(self, cls) except -1:
        return self.verdict(cls).plain

    cdef Verdict* verdict(self, cls) except NULL:
        cdef Verdict* verdict = &self.verdicts[(<size_t><PyObject*>cls >> 5) % VERDICTS]
        if verdict.cls != <PyObject*>cls or verdict.version != class_version(cls) or not verdict.version:
            self.judge(cls, verdict)
            verdict.cls = <PyObject*>cls
            verdict.version = class_version(cls)
        return verdict

    cdef int judge(self, cls, Verdict* verdict) except -1:
        cdef PyObject* found
        verdict.plain = has_plain_access(cls, self.base)
        verdict.slots = 0
        for base in (<type>cls).__mro__:
            if base is self.base or not verdict.plain:
                break
            for slot in base.__dict__.values():
                if isinstance(slot, MemberDescriptorType):
                    verdict.plain = verdict.plain and verdict.slots < MOST_SLOTS
                    if verdict.plain:
                        verdict.offsets[verdict.slots] = slot_offset(slot)
                        verdict.slots += 1
        for name, original in self.originals.items():
            found = _PyType_Lookup(<PyTypeObject*>cls, name)
            if found == NULL or <object>found is not original:
                verdict.plain = False
        return 0
