# The fields of a head.

cdef enum:
    NAMES = 512
    LONGEST_NAME = 40

# A cache of field names in upper case, so that few are created again. A name replaces another one
# with the same index, so clients can't fill the memory.
cdef struct Name:
    PyObject* upper
    unsigned int hashed
    unsigned char size
    unsigned char[LONGEST_NAME] letters

cdef Name[NAMES] names
cdef list names_kept = [None] * NAMES  # owns the objects to which `names` points


cdef str upper_name(const unsigned char* text, Py_ssize_t size):
    """Return a field name in upper case."""
    cdef unsigned char[LONGEST_NAME] letters
    cdef unsigned int hashed = 2166136261u
    cdef Py_ssize_t i
    cdef unsigned char code
    cdef Name* name
    if size > LONGEST_NAME:
        return PyUnicode_DecodeASCII(<const char*>text, size, NULL).upper()
    for i in range(size):
        code = text[i]
        if 97 <= code <= 122:
            code -= 32
        letters[i] = code
        hashed = (hashed ^ code) * 16777619u
    i = (hashed ^ (hashed >> 13)) % NAMES
    name = &names[i]
    if name.upper != NULL and name.hashed == hashed and name.size == size:
        if memcmp(name.letters, letters, size) == 0:
            return <str>name.upper
    upper = PyUnicode_DecodeASCII(<const char*>letters, size, NULL)
    names_kept[i] = upper
    name.upper = <PyObject*>upper
    name.hashed = hashed
    name.size = size
    memcpy(name.letters, letters, size)
    return upper


cdef str read_value(const unsigned char* text, Py_ssize_t size):
    """Decode a field value as UTF-8, or as Latin-1 if it is not UTF-8."""
    strip(&text, &size)
    try:
        return PyUnicode_DecodeUTF8(<const char*>text, size, NULL)
    except UnicodeDecodeError:
        return PyUnicode_DecodeLatin1(<const char*>text, size, NULL)


cdef read_fields(bytes block, fields):
    """Add the fields of a head that `read_head` has accepted to `fields`."""
    cdef const unsigned char* line = <const unsigned char*>PyBytes_AS_STRING(block)
    cdef const unsigned char* stop = line + PyBytes_GET_SIZE(block) - 2
    cdef const unsigned char* colon
    cdef const unsigned char* end
    cdef dict repeated = None
    while line < stop:
        end = <const unsigned char*>memchr(line, 13, stop - line)
        colon = <const unsigned char*>memchr(line, b":", end - line)
        name = upper_name(line, colon - line)
        value = read_value(colon + 1, end - colon - 1)
        if PyDict_GetItemWithError(fields, name) != NULL:
            if repeated is None:
                repeated = {}
            (<list>repeated.setdefault(name, [fields[name]])).append(value)
        else:
            PyDict_SetItem(fields, name, value)
        line = end + 2
    if repeated is not None:
        for name, values in repeated.items():
            fields[name] = ("; " if name == "COOKIE" else ", ").join(values)
    return fields


# The same cache for names in lower case, as bytes.
cdef struct LowerName:
    PyObject* lower
    unsigned int hashed

cdef LowerName[NAMES] lower_names
cdef list lower_names_kept = [None] * NAMES


cdef bytes lower_name(const unsigned char* text, Py_ssize_t size):
    """Return a field name in lower case."""
    cdef unsigned char[LONGEST_NAME] letters
    cdef unsigned int hashed = 2166136261u
    cdef Py_ssize_t i
    cdef unsigned char code
    cdef LowerName* name
    if size > LONGEST_NAME:
        return PyBytes_FromStringAndSize(<const char*>text, size).lower()
    for i in range(size):
        code = text[i]
        if 65 <= code <= 90:
            code += 32
        letters[i] = code
        hashed = (hashed ^ code) * 16777619u
    name = &lower_names[(hashed ^ (hashed >> 13)) % NAMES]
    if name.lower != NULL and name.hashed == hashed:
        known = <bytes>name.lower
        if PyBytes_GET_SIZE(known) == size and memcmp(PyBytes_AS_STRING(known), letters, size) == 0:
            return known
    lower = PyBytes_FromStringAndSize(<const char*>letters, size)
    lower_names_kept[name - lower_names] = lower
    name.lower = <PyObject*>lower
    name.hashed = hashed
    return lower


def lower_fields(bytes block):
    """Return the name, in lower case, and the value of each line of a head, in order."""
    cdef const unsigned char* line = <const unsigned char*>PyBytes_AS_STRING(block)
    cdef const unsigned char* stop = line + PyBytes_GET_SIZE(block) - 2
    cdef const unsigned char* colon
    cdef const unsigned char* end
    cdef const unsigned char* value
    cdef Py_ssize_t size
    cdef list fields = []
    while line < stop:
        end = <const unsigned char*>memchr(line, 13, stop - line)
        while end != NULL and end[1] != 10:
            end = <const unsigned char*>memchr(end + 1, 13, stop - end - 1)
        if end == NULL:
            break
        colon = <const unsigned char*>memchr(line, b":", end - line)
        if colon == NULL:
            colon = end
        value = colon + 1 if colon < end else end
        size = end - value
        strip(&value, &size)
        fields.append((
            lower_name(line, colon - line), PyBytes_FromStringAndSize(<const char*>value, size),
        ))
        line = end + 2
    return fields
