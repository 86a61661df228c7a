# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: nonecheck=False, auto_pickle=False, embedsignature=False, cdivision=True
"""The native core: a common request from its bytes to the bytes of its response.

The core takes a strict subset of requests, and leaves all others, untouched, to the Python code,
which is the reference. The core never writes an error response. The parts:

- `c_api.pxi`: what is used of Python's C API, and classes that nothing was overridden in;
- `head.pxi`: where the parts of a head are;
- `fields.pxi`: the fields of a header block;
- `message.pxi`: the base classes of requests and responses;
- `cookies.pxi`: the cookies of a request, and the lines that set some;
- `render.pxi`: a common response as bytes;
- `json.pxi`: common values as JSON, and the JSON of a short body;
- `parts.pxi`: what the core uses of this package;
- `work.pxi`: the task of a request, and what it does after its first step;
- `connection.pxi`: the base class of connections, and the first step of a handler.

They are one extension module, because a module costs 0.3 ms of each import.
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
"""What tells the sources that this module was built from; see `hatch_build.py`."""
