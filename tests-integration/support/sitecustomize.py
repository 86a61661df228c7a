"""Change the port of the examples, so that they run unchanged and in parallel.

Python imports this module by itself when its folder is on PYTHONPATH. ROLL_TEST_PORT is the
port that `simple_server` takes instead of its default.
"""

import os

if "ROLL_TEST_PORT" in os.environ:
    from functools import partial

    from roll import extensions

    extensions.simple_server = partial(
        extensions.simple_server, port=int(os.environ["ROLL_TEST_PORT"])
    )
