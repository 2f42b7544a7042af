"""What compiling LADSPA plug-ins needs."""

from __future__ import annotations

import shutil

import pytest

from voicegraph.app.sdk import _compile_plugin
from voicegraph.graph.errors import VoicegraphError


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no compiler")
def test_missing_header_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "cc")
    monkeypatch.setenv("CFLAGS", "-nostdinc")
    with pytest.raises(VoicegraphError, match=r"ladspa\.h") as caught:
        _compile_plugin.require_plugin_tools()
    assert "apt install ladspa-sdk" in str(caught.value)


def test_microsofts_compiler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_compile_plugin, "uses_msvc", lambda: True)
    with pytest.raises(VoicegraphError, match="by GCC or Clang"):
        _compile_plugin.require_plugin_tools()
