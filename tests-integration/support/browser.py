"""A headless Chromium, driven by its debugging protocol."""

import itertools
import json
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from urllib.parse import quote

from websockets.sync.client import connect

PATIENCE = 30
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]


class Browser:
    """A headless Chromium with one page, driven by its debugging protocol."""

    def __init__(self, socket):
        self._ids = itertools.count(1)
        self._session = None
        self._socket = socket
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        attached = self.ask("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        self.ask("Page.enable")

    def ask(self, method, **params):
        """Give a command, and return its result."""
        number = self._send(method, **params)
        return self._wait(lambda said: said.get("id") == number)["result"]

    def _send(self, method, **params):
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        return number

    def _wait(self, wanted):
        end = time.monotonic() + PATIENCE
        while True:
            said = json.loads(self._socket.recv(timeout=end - time.monotonic()))
            if wanted(said):
                return said

    def _loaded(self):
        # A page, or a download in place of it.
        self._wait(
            lambda said: said.get("method") in {"Page.loadEventFired", "Page.downloadWillBegin"}
        )

    def open(self, url):
        """Show a page, and return its title once it has loaded."""
        shown = self.ask("Page.navigate", url=url)
        if "errorText" not in shown and "loaderId" in shown:
            self._loaded()
        return self.title()

    def title(self):
        return self.run("document.title")

    def run(self, script):
        """Run a script in the page."""
        return self.ask("Runtime.evaluate", expression=script)["result"].get("value")

    def post(self, url, names, script):
        """Send a form as a page of anybody may, whose fields and filenames are a script."""
        self.open("about:blank")
        self.ask(
            "Runtime.evaluate",
            expression=f"""
            const form = document.createElement("form");
            Object.assign(form, {{action: {json.dumps(url)}, method: "post"}});
            form.enctype = "multipart/form-data";
            for (const name of {json.dumps(names)}) {{
                const field = Object.assign(document.createElement("input"), {{name}});
                field.value = {json.dumps(script)};
                const file = Object.assign(document.createElement("input"), {{type: "file"}});
                file.name = name;
                const held = new DataTransfer();
                const options = {{type: "text/html"}};
                held.items.add(new File(["x"], {json.dumps(script)}, options));
                file.files = held.files;
                form.append(field, file);
            }}
            document.body.append(form);
            form.submit();
            """,
        )
        self._loaded()
        return self.title()

    def set_cookies(self, url, names, value):
        for name in names:
            self.ask("Network.setCookie", url=url, name=name, value=quote(value))

    def download(self, url, folder):
        """Follow a link to a download, and return the name under which it is saved in a folder."""
        self.ask("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self._send("Page.navigate", url=url)  # what is told may come before its result
        begun = self._wait(lambda said: said.get("method") == "Page.downloadWillBegin")
        self._wait(
            lambda said: (
                said.get("method") == "Page.downloadProgress"
                and said["params"]["state"] != "inProgress"
            )
        )
        return begun["params"]["suggestedFilename"]

    def wait_for(self, script):
        """Evaluate a script, again and again, until its value is true; return the value."""
        promise = f"""
            new Promise((resolve, reject) => {{
                const end = Date.now() + {PATIENCE * 1000};
                const look = () => {{
                    const value = {script};
                    if (value) resolve(value);
                    else if (Date.now() > end) reject(new Error("not in time"));
                    else setTimeout(look, 5);
                }};
                look();
            }})
        """
        return self.evaluate(promise)

    def evaluate(self, script):
        """Evaluate a script, and what it promises; return the value."""
        told = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")


@contextmanager
def started(folder):
    """A browser whose profile is in a folder."""
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        said = (re.search(r"DevTools listening on (ws://\S+)", line) for line in program.stderr)
        address = next(filter(None, said))[1]
        with connect(address, max_size=None, proxy=None) as socket:
            yield Browser(socket)
        program.kill()
