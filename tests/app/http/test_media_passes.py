"""Cookies that open one file in a browser, for some time."""

from __future__ import annotations

import re
import time
from http.cookies import SimpleCookie

import pytest
from starlette.datastructures import Headers
from starlette.types import Scope

from voicegraph.app.http import media_passes
from voicegraph.app.http.media_passes import MediaPasses

PATHS = re.compile(r"/pages/[^/]+")


def _allowed(passes: MediaPasses, cookie: str, path: str, method: str = "GET") -> bool:
    scope: Scope = {"type": "http", "method": method, "path": path}
    return passes.allow(scope, Headers({"cookie": cookie}))


def _issued(passes: MediaPasses, path: str) -> str:
    header = passes.cookie(path)
    assert header is not None
    return header.partition(";")[0]


def test_pass_opens_its_own_path_and_no_other() -> None:
    passes = MediaPasses(PATHS)
    cookie = _issued(passes, "/pages/a b")
    assert _allowed(passes, f"theme=dark; {cookie}", "/pages/a b")
    assert _allowed(passes, cookie, "/pages/a b", "HEAD")
    assert not _allowed(passes, cookie, "/pages/b")
    assert not _allowed(passes, cookie, "/pages/a b", "POST")
    assert not _allowed(passes, cookie, "/api/session")


def test_cookie_is_kept_from_scripts_and_other_sites() -> None:
    header = MediaPasses(PATHS).cookie("/pages/ä; Path=x")
    found = SimpleCookie(header)["voicegraph-pass"]
    assert (found["httponly"], found["samesite"]) == (True, "Strict")
    assert found["path"] == "/pages/%C3%A4%3B%20Path%3Dx"


@pytest.mark.parametrize("path", ["/api/session", "/pages/a/b", "/pages/", ""])
def test_other_paths_get_no_pass(path: str) -> None:
    assert MediaPasses(PATHS).cookie(path) is None


def test_pass_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = MediaPasses(PATHS)
    cookie = _issued(passes, "/pages/a")
    late = time.time() + media_passes.PASS_S + 1
    monkeypatch.setattr(media_passes.time, "time", lambda: late)
    assert not _allowed(passes, cookie, "/pages/a")


@pytest.mark.parametrize("form", ["{0}x", "9{0}", "", "0-{1}", "{1}", "-"])
def test_changed_pass_opens_nothing(form: str) -> None:
    passes = MediaPasses(PATHS)
    name, _, value = _issued(passes, "/pages/a").partition("=")
    changed = form.format(value, value.partition("-")[2])
    assert not _allowed(passes, f"{name}={changed}", "/pages/a")


def test_pass_of_another_server_opens_nothing() -> None:
    cookie = _issued(MediaPasses(PATHS), "/pages/a")
    assert not _allowed(MediaPasses(PATHS), cookie, "/pages/a")
