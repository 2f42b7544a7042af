"""A headless Firefox, driven over WebDriver BiDi (https://w3c.github.io/webdriver-bidi/)."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("firefox-esr", "firefox")
_WAIT_S = 60.0
"""For an answer; far above what a loaded machine takes."""
_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "media.autoplay.default": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class FirefoxPage:
    """A tab with its console.

    Attributes:
        errors: messages of the console that are errors.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.errors: list[str] = []
        self._socket = socket
        self._count = 0
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded"])
        contexts = self.call("browsingContext.getTree")["contexts"]
        self._context: str = contexts[0]["context"]

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Calls a command of the protocol."""
        self._count += 1
        number = self._count
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(_WAIT_S))
            if message.get("id") == number:
                assert message["type"] == "success", (method, message)
                return message["result"]
            if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self.errors.append(message["params"]["text"])

    def open(self, url: str) -> None:
        """Opens an address and waits until it is loaded."""
        self.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, script: str) -> Any:
        """The value of an expression as JSON would hold it; as if a person had acted."""
        text = f"(async () => JSON.stringify(await ({script})))()"
        target = {"context": self._context}
        options = {"target": target, "awaitPromise": True, "userActivation": True}
        result = self.call("script.evaluate", expression=text, **options)
        assert result["type"] == "success", result["exceptionDetails"]["text"]
        found = result["result"].get("value")
        return None if found is None else json.loads(found)

    def wait(self, condition: str) -> None:
        """Waits until an expression is true."""
        end = time.monotonic() + _WAIT_S
        script = f"(() => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }})()"
        while not self.evaluate(script):
            assert time.monotonic() < end, f"it never came so: {condition}"
            time.sleep(0.02)

    def look(self, width: int, height: int = 900) -> None:
        """Sets the size of the page."""
        size = {"width": width, "height": height}
        self.call("browsingContext.setViewport", context=self._context, viewport=size)

    def screenshot(self, path: Path) -> None:
        """Writes a PNG of what is to be seen."""
        found = self.call("browsingContext.captureScreenshot", context=self._context)
        path.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def firefox() -> Iterator[FirefoxPage]:
    """A page in a Firefox of its own; skips the test where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("needs Firefox (on Debian: apt-get install firefox-esr)")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in _PREFERENCES.items()]
        (Path(profile) / "user.js").write_text("\n".join(lines), encoding="utf-8")
        options = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0"]
        said = Path(profile) / "stderr.txt"
        with said.open("wb") as stream:
            process = subprocess.Popen(
                [program, *options, "about:blank"], stdout=stream, stderr=stream
            )
        try:
            with connect(
                f"{_address(process, said)}/session", max_size=None, ping_interval=None
            ) as socket:
                yield FirefoxPage(socket)
        finally:
            process.terminate()
            process.wait(20)


def _address(process: subprocess.Popen[bytes], said: Path) -> str:
    end = time.monotonic() + _WAIT_S
    pattern = re.compile(r"WebDriver BiDi listening on (ws://[\w.:]+)")
    while (found := pattern.search(said.read_text(errors="replace"))) is None:
        if process.poll() is not None or time.monotonic() > end:
            pytest.skip("Firefox does not start here")
        time.sleep(0.05)
    return found[1]
