"""A headless Chromium without network, driven over the DevTools protocol."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_WAIT_S = 60.0
"""For an answer; far above what a loaded machine takes."""


class Page:
    """A tab with its console and its requests.

    Attributes:
        errors: messages of the console that are errors, exceptions, and violated policies.
        requests: addresses that were asked for, the page itself and ``data:`` left out.
    """

    def __init__(self, socket: ClientConnection, *, offline: bool = True) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._socket = socket
        self._count = 0
        self._loaded = False
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        if offline:
            off = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
            self.call("Network.emulateNetworkConditions", **off)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Calls a method of the protocol."""
        self._count += 1
        number = self._count
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(_WAIT_S))
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
            self._note(message)

    def open(self, place: Path | str) -> None:
        """Opens a file or an address and waits until it is loaded."""
        self._loaded = False
        url = place if isinstance(place, str) else place.resolve().as_uri()
        self.call("Page.navigate", url=url)
        while not self._loaded:
            self._note(json.loads(self._socket.recv(_WAIT_S)))

    def wait(self, condition: str, seconds: float = _WAIT_S) -> None:
        """Waits until an expression is true, also while the page is loaded anew."""
        end = time.monotonic() + seconds
        while not self._is_so(condition):
            assert time.monotonic() < end, f"it never came so: {condition}"
            time.sleep(0.02)

    def _is_so(self, condition: str) -> bool:
        script = f"(() => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }})()"
        try:
            return self.evaluate(script)
        except AssertionError:  # the page is just being left
            return False

    def evaluate(self, script: str) -> Any:
        """The value of an expression; a promise is awaited. As if a person had acted."""
        options = {"returnByValue": True, "awaitPromise": True, "userGesture": True}
        result = self.call("Runtime.evaluate", expression=script, **options)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def choose_files(self, selector: str, *files: Path) -> None:
        """Chooses files in a field for files."""
        script = f"document.querySelector({json.dumps(selector)})"
        found = self.call("Runtime.evaluate", expression=script)["result"]["objectId"]
        names = [str(file.resolve()) for file in files]
        self.call("DOM.setFileInputFiles", objectId=found, files=names)

    def saves_to(self, folder: Path) -> None:
        """Where files go that the page saves."""
        self.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def press(self, key: str, code: str = "", text: str = "") -> None:
        """Presses a key and releases it."""
        codes = {
            "Tab": 9,
            "Escape": 27,
            "Enter": 13,
            " ": 32,
            "ArrowDown": 40,
            "ArrowUp": 38,
            "ArrowRight": 39,
            "ArrowLeft": 37,
            "Home": 36,
            "End": 35,
        }
        number = codes.get(key, ord(key[0].upper()))
        about = {"key": key, "code": code or key, "windowsVirtualKeyCode": number}
        typed = text or {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        down = {**about, "text": typed} if typed else about
        self.call("Input.dispatchKeyEvent", type="keyDown", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def look(self, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Sets the window's size and colours."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Writes a PNG of what is to be seen, or of the whole page."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.errors.append(json.dumps(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.errors.append(json.dumps(params["entry"]))
            case "Network.requestWillBeSent":
                address = params["request"]["url"]
                if params.get("type") != "Document" and not address.startswith("data:"):
                    self.requests.append(address)


@contextmanager
def chromium(*, loopback: bool = False) -> Iterator[Page]:
    """A page in a Chromium of its own; skips the test where there is none.

    It reaches no network, with ``loopback`` this machine only.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("needs Chromium (on Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", "--mute-audio", "--remote-debugging-port=0"),
            "--proxy-server=127.0.0.1:9",  # whatever would leave the machine fails
            f"--user-data-dir={profile}",
            "about:blank",
        ]
        said = Path(profile) / "stderr.txt"
        with said.open("wb") as stream:
            process = subprocess.Popen([program, *options], stderr=stream)
        try:
            with connect(_address(process, said), max_size=None, ping_interval=None) as socket:
                yield Page(socket, offline=not loopback)
        finally:
            process.terminate()
            process.wait(20)


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    """WebSocket address of the first tab; the browser prints its port when it is ready."""
    end = time.monotonic() + _WAIT_S
    while (found := re.search(r"DevTools listening on ws://([\d.:]+)/", said.read_text())) is None:
        if process.poll() is not None or time.monotonic() > end:
            pytest.skip("Chromium does not start here")
        time.sleep(0.05)
    with urllib.request.urlopen(f"http://{found[1]}/json") as answer:
        tabs = json.load(answer)
    return next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
