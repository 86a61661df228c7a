# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: nonecheck=False, auto_pickle=False, embedsignature=False, cdivision=True
"""The native core: it handles a common request, from its bytes to the bytes of its response.

The core accepts a strict subset of requests. It leaves all others unchanged to the Python code,
which is the reference. The core never writes an error response. The parts:

- `c_api.pxi`: the parts of Python's C API that the core uses, and checks of classes;
- `head.pxi`: finds the parts of a common head;
- `fields.pxi`: the fields of a head;
- `message.pxi`: the base classes of requests and responses;
- `cookies.pxi`: the cookies of a request, and the `Set-Cookie` lines of a response;
- `render.pxi`: a common response as bytes;
- `json.pxi`: common values as JSON, and the JSON of a short body;
- `parts.pxi`: the parts of this package that the core uses;
- `work.pxi`: the task of a request, from its second step on;
- `connection.pxi`: the base class of connections, and the first step of a handler.

They are one extension module, because each module adds 0.3 ms to the import.
"""

include "c_api.pxi"
include "head.pxi"
include "fields.pxi"
include "message.pxi"
include "cookies.pxi"
include "render.pxi"
include "json.pxi"
include "parts.pxi"
include "work.pxi"
include "connection.pxi"

cdef extern from *:
    """
    #ifndef ROLL_SOURCES
    #define ROLL_SOURCES ""
    #endif
    """
    const char* ROLL_SOURCES

SOURCES = ROLL_SOURCES.decode()
"""The digest of the sources of this module; see `hatch_build.py`."""
