# The parts of this package that the core uses.

cdef Py_ssize_t TURNS = 0
cdef object PLAIN = None
cdef Plain plain_connections = None
cdef Plain plain_requests = None
cdef Plain plain_responses = None
cdef Plain plain_loading = None  # whether loading the body of a request is not overridden
cdef object PythonHead, PlainRequest, Beginning, ENDED, enter_task, leave_task, answer, end_exchange
cdef object check_size, continue_task, fail_task, raised, returned, swap_task
answer = None


cdef int find_parts() except -1:
    """Find the Python objects that the core uses; they import the core, so it imports them late."""
    global Beginning, BYTES_TYPE, Cookies, ENDED, Headers, LONGEST_BODY, OK_LINE, PLAIN, PythonHead
    global TEXT_TYPE, TURNS, answer, continue_task, end_exchange, enter_task, fail_task
    global format_cookies, kinds, leave_task, percent_decode, plain_connections, plain_requests
    global serialize_in_python, swap_task, JSONCodec, PLAIN_JSON, set_json_in_python
    global Cookie, PlainRequest, SHORT_JSON, check_size, cookies_in_python, json_in_python
    global plain_loading, plain_responses, raised, returned, scan_json, status_lines
    global cookie_attributes, plain_cookies, response_cookies_in_python, set_cookie_in_python
    if answer is not None:
        return 0
    from asyncio import _enter_task, _leave_task, tasks

    from ..body import check_size
    from ..connection import answering, eager_tasks, exchange, pipeline, protocol, writer
    from ..cookies import Cookie, Cookies, set_in_python as set_cookie_in_python
    from ..h1 import response_body, response_fields, serialize
    from ..h1.head import Head as PythonHead
    from ..headers import Headers
    from ..json_codec import JSONCodec, PLAIN_JSON, _SHORT as SHORT_JSON, _scan as scan_json
    from ..request import Request, cookies_in_python, json_in_python
    from ..response import Response, cookies_in_python as response_cookies_in_python
    from ..response import set_json as set_json_in_python
    from ..syntax import percent_decode
    from .outcomes import raised, returned

    PlainRequest = Request
    enter_task, leave_task = _enter_task, _leave_task
    # Python 3.12 and later have it. On 3.13 it also survives a lack of memory, unlike `_enter_task`.
    swap_task = getattr(tasks, "_swap_current_task", None)
    TURNS = pipeline.TURNS
    LONGEST_BODY = writer.SLICE
    TEXT_TYPE = response_body.TEXT_TYPE.encode()
    BYTES_TYPE = response_body.BYTES_TYPE.encode()
    kinds, PLAIN = response_fields.kinds, response_fields.PLAIN
    format_cookies = serialize._cookie_lines
    serialize_in_python = answering.serialize_in_python
    status_lines = {status: line.encode() for status, line in serialize._COMMON_LINES.items()}
    OK_LINE = status_lines[OK]
    Beginning, ENDED = eager_tasks._Beginning, eager_tasks.ENDED
    continue_task, fail_task = eager_tasks.continue_task, eager_tasks.fail_task
    end_exchange = exchange.end
    plain_requests = Plain(Request, RequestBase, [*RequestBase.__slots__, "set_head", "attach_whole"])
    plain_loading = Plain(Request, RequestBase, ["__aiter__", "body", "load_body", "_loaded_limit"])
    plain_responses = Plain(Response, ResponseBase, [*ResponseBase.__slots__, "cookie_lines", "cookies", "status"])
    plain_connections = Plain(protocol.HTTPProtocol, ConnectionBase, ["finish", "forget_request", "_receive"])
    plain_cookies = Plain(Cookie, object, ["__str__", *COOKIE_NAMES])
    cookie_attributes = tuple([plain_cookies.originals[name] for name in COOKIE_NAMES])
    answer = answering.answer
    return 0
