"""``voicegraph sdk build``: what it writes and refuses."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from voicegraph.app.sdk import _compile_library, _compiler, _library_source, build
from voicegraph.graph.errors import OutputError, VoicegraphError


def test_the_folder_has_all_that_programs_are_built_with(sdk: Path) -> None:
    places = ["README.md", "include/voicegraph.h", "src/voicegraph.c", build.library_name()]
    places += ["lib/pkgconfig/voicegraph.pc", "lib/cmake/voicegraph/voicegraph-config.cmake"]
    for place in places:
        assert (sdk / place).is_file(), place
    for place in sdk.rglob("*"):
        if place.suffix in {".md", ".pc", ".cmake"}:
            assert "@" not in place.read_text(encoding="utf-8").replace("@rpath", "")


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="needs pkg-config")
def test_pkg_config_finds_the_folder(sdk: Path) -> None:
    command = ["pkg-config", "--cflags", "--libs", str(sdk / "lib/pkgconfig/voicegraph.pc")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    found = [Path(word[2:]).resolve() for word in said if word.startswith(("-I", "-L"))]
    assert found == [(sdk / "include").resolve(), (sdk / "lib").resolve()]
    assert said[-1] == "-lvoicegraph"


@pytest.mark.skipif(shutil.which("cmake") is None, reason="needs CMake")
def test_cmake_finds_the_folder(sdk: Path, tmp_path: Path) -> None:
    (tmp_path / "program.c").write_text(
        "#include <voicegraph.h>\nint main(void) { return vg_api_version() != VG_API_VERSION; }\n"
    )
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(p C)\nfind_package(voicegraph REQUIRED)\n"
        "add_executable(p program.c)\ntarget_link_libraries(p voicegraph::voicegraph)\n"
    )
    steps = (["-S", ".", "-B", "made", f"-DCMAKE_PREFIX_PATH={sdk}"], ["--build", "made"])
    for step in steps:
        subprocess.run(["cmake", *step], cwd=tmp_path, check=True, capture_output=True)
    assert subprocess.run([tmp_path / "made" / "p"], check=False).returncode == 0


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(OutputError, match="is a file"):
        build.build_sdk(tmp_path / "x")


def test_a_folder_that_cannot_be_made_is_reported_with_a_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cffi")
    (tmp_path / "file").touch()
    monkeypatch.setattr(build, "require_tools", lambda: None)
    monkeypatch.setattr(build, "compile_library", lambda source, target: None)
    with pytest.raises(OutputError, match="cannot be written") as caught:
        build.build_sdk(tmp_path / "file" / "sdk")
    assert caught.value.problems[0].fix == "give a name in another folder"


def test_nothing_is_written_where_the_compiler_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cffi")
    monkeypatch.setenv("CFLAGS", "--no-such-option")
    monkeypatch.setattr(build, "require_tools", lambda: None)
    if shutil.which(_compiler.compiler()[0]) is None:
        pytest.skip("there is no compiler")
    with pytest.raises(VoicegraphError, match="the C compiler has failed") as caught:
        build.build_sdk(tmp_path / "sdk")
    assert "no-such-option" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_missing_tools_are_named_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setattr(_compile_library, "_header_folders", lambda: [tmp_path])
    monkeypatch.setattr(_compile_library, "_python_library", lambda: (tmp_path, "libpython.so"))
    with pytest.raises(VoicegraphError) as caught:
        _compile_library.require_tools()
    assert [p.code for p in caught.value.problems] == [
        "no-compiler",
        "no-headers",
        "no-shared-python",
    ]
    assert all(problem.fix for problem in caught.value.problems)


def test_cffi_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_library_source, "is_installed", lambda _: False)
    with pytest.raises(VoicegraphError, match=r"part of the extra `sdk`"):
        _library_source.write_source(tmp_path / "x.c")


@pytest.mark.parametrize("text", ['C:\\new\\"x"', "zwei\nZeilen", "tab\tund ü", ""])
def test_texts_are_the_same_in_c(text: str) -> None:
    literal = _library_source._c_string(text)
    joined = "".join(part.strip().strip("\\").strip()[1:-1] for part in literal.split("\\\n"))
    assert joined.encode().decode("unicode_escape").encode("latin-1").decode() == text
    assert literal.isascii()
