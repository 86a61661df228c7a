# Whether an application has overridden anything of the cycle.

# The names that an application must not override, in its class or instance, to use the core.
cdef tuple OF_CLASS = ("__call__", "_cycle", "_is_last", "chain", "hook", "lookup", "on_error", "Route")
cdef tuple OF_INSTANCE = ("_chains", "hooks", "routes", "strict_slashes", "_aliases", "result_advice")

# The last class that was checked, and its version, which changes with every change of the class.
cdef PyObject* judged = NULL
cdef unsigned int judged_version = 0
cdef bint judgement = False


cdef find(cls, name):
    """Return the attribute of a class or its bases with a name; None if missing."""
    cdef PyObject* found = _PyType_Lookup(<PyTypeObject*>cls, name)
    return None if found == NULL else <object>found


cdef bint is_plain(cls) except -1:
    """Return whether a class of applications overrides no part of the cycle."""
    global judged, judged_version, judgement
    if judged != <PyObject*>cls or judged_version != class_version(cls) or not judged_version:
        judgement = has_plain_access(cls)
        for name, original in originals.items():
            judgement = judgement and find(cls, name) is original
        judged = <PyObject*>cls
        judged_version = class_version(cls)
    return judgement


cdef bint is_common(app, dict own) except -1:
    """Return whether the application overrides nothing, and no placeholder has two names."""
    cdef PyObject* hooks = PyDict_GetItemWithError(own, "hooks")
    cdef PyObject* aliases = PyDict_GetItemWithError(own, "_aliases")
    if not is_plain(type(app)):
        return False
    if "_cycle" in own or "hook" in own or "on_error" in own or "lookup" in own or "Route" in own:
        return False
    if hooks == NULL or aliases == NULL or not PyDict_CheckExact(<object>hooks):
        return False
    return not (<object>aliases).names
