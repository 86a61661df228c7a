"""The ASGI application of `probe_hosted.py` alone, served by `roll run`.

    python probe_alone.py LOOP

LOOP is `asyncio` or `uvloop`. The port is printed.
"""

import socket
import sys

from roll.command import main

if sys.argv[1] == "asyncio":
    sys.modules["uvloop"] = None  # the command takes uvloop where it is installed
listening = socket.create_server(("127.0.0.1", 0))
listening.set_inheritable(True)
sys.stdout.write(f"{listening.getsockname()[1]}\n")
sys.stdout.flush()
arguments = ["run", "probe_hosted:application", "--fd", str(listening.fileno())]
sys.exit(main([*arguments, "--access-log", "off"]))
