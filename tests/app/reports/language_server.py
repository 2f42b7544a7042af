"""A small client of yaml-language-server: completion, diagnostics and hover over LSP."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

_WAIT = 20.0
"""Seconds for one answer; a good one takes milliseconds."""


class LanguageServer:
    """A running server whose YAML files follow one schema.

    Args:
        command: the program with its arguments.
        schema: path of the JSON schema.
        folder: of the files; they are not written, the client sends their text.
    """

    def __init__(self, command: list[str], schema: Path, folder: Path) -> None:
        self._folder = folder
        self._ids = itertools.count(1)
        self._versions = itertools.count(1)
        self._answers: dict[int, queue.Queue[Any]] = {}
        self._diagnostics: queue.Queue[dict[str, Any]] = queue.Queue()
        self._process = subprocess.Popen(
            [*command, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._settings = {
            "yaml": {
                "schemas": {schema.as_uri(): "*.yaml"},
                "validate": True,
                "completion": True,
                "hover": True,
                "schemaStore": {"enable": False, "url": ""},
            }
        }
        # A server started with the pid of a client ends with it.
        capabilities = {
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": True}},
                "hover": {"contentFormat": ["markdown"]},
                "publishDiagnostics": {},
            },
            "workspace": {"configuration": True, "didChangeConfiguration": {}},
        }
        parts = {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": capabilities}
        self.request("initialize", parts)
        self._notify("initialized", {})
        self._notify("workspace/didChangeConfiguration", {"settings": self._settings})
        self._await_schema()

    def _await_schema(self) -> None:
        """The server answers before it has read its settings; then nothing is offered."""
        ends = time.monotonic() + _WAIT
        while not self.complete("|"):
            if time.monotonic() > ends:
                raise TimeoutError("the server does not use the schema")
            time.sleep(0.05)

    def __enter__(self) -> LanguageServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.request("shutdown", None)
            self._notify("exit", None)
            self._process.wait(5)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(5)
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    stream.close()

    # ---- questions --------------------------------------------------------------------------

    def complete(self, text: str) -> dict[str, dict[str, Any]]:
        """What is offered at the ``|`` in a text: label -> item."""
        found = self._ask("textDocument/completion", text)
        items = found["items"] if isinstance(found, dict) else found or []
        return {item["label"]: item for item in items}

    def hover(self, text: str) -> str:
        """What is shown about the word before the ``|`` in a text."""
        found = self._ask("textDocument/hover", text)
        content = found["contents"] if found else ""
        return content["value"] if isinstance(content, dict) else str(content)

    def diagnose(self, text: str) -> list[str]:
        """The messages about a text."""
        while not self._diagnostics.empty():
            self._diagnostics.get()
        uri = self._open(text)
        while True:
            found = self._diagnostics.get(timeout=_WAIT)
            if found["uri"] == uri:
                return [entry["message"] for entry in found["diagnostics"]]

    def _ask(self, method: str, text: str) -> Any:
        before, _, after = text.partition("|")
        uri = self._open(before + after)
        line = before.count("\n")
        place = {"line": line, "character": len(before) - before.rfind("\n") - 1}
        return self.request(method, {"textDocument": {"uri": uri}, "position": place})

    def _open(self, text: str) -> str:
        uri = (self._folder / f"p{next(self._versions)}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._notify("textDocument/didOpen", {"textDocument": document})
        return uri

    # ---- the protocol -----------------------------------------------------------------------

    def request(self, method: str, params: Any) -> Any:
        """Sends a request and waits for the answer."""
        number = next(self._ids)
        answer = self._answers[number] = queue.Queue()
        self._send({"id": number, "method": method, "params": params})
        found = answer.get(timeout=_WAIT)
        if "error" in found:
            raise RuntimeError(found["error"])
        return found.get("result")

    def _notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while line := stream.readline():
            length = 0
            while line.strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                line = stream.readline()
            self._handle(json.loads(stream.read(length)))

    def _handle(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method is None:
            self._answers[message["id"]].put(message)
        elif method == "textDocument/publishDiagnostics":
            self._diagnostics.put(message["params"])
        elif "id" in message:  # the server asks, for its settings mostly
            result = None
            if method == "workspace/configuration":
                asked = [item.get("section") for item in message["params"]["items"]]
                result = [self._settings.get(section) for section in asked]
            self._send({"id": message["id"], "result": result})
