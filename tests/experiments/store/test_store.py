"""The store: what is written is read, what is damaged is found, what is unused is collected."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from voicegraph.experiments.store import (
    DamagedResultError,
    DiskFullError,
    Record,
    Store,
    collect,
    default_store,
    store_path,
)
from voicegraph.experiments.store.encoding import decode, encode
from voicegraph.experiments.task import Result
from voicegraph.graph.errors import InputError, OutputError
from voicegraph.graph.files import atomic_write

KEY = sha256(b"a").hexdigest()
OTHER = sha256(b"b").hexdigest()
SOUND = Result({"audio": np.linspace(-1, 1, 1000, dtype=np.float32)}, {"rate": 16000})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def _data(store: Store) -> Path:
    (path,) = store.path.glob("??/*.safetensors")
    return path


# ---- encoding


@given(
    st.dictionaries(
        st.text("abc._", min_size=1, max_size=5),
        arrays_of.arrays(
            st.sampled_from([np.float32, np.float64, np.int64, np.bool_, np.uint8]),
            arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        ),
        max_size=4,
    ),
    st.dictionaries(
        st.text(max_size=5), st.none() | st.integers(-9, 9) | st.floats(-1, 1), max_size=4
    ),
)
def test_what_is_encoded_is_decoded(
    arrays: dict[str, np.ndarray], about: dict[str, object]
) -> None:
    data = encode(Result(arrays, about))
    found = decode(data)
    assert found.about == about
    assert found.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


def test_order_of_names_changes_no_byte() -> None:
    one, two = np.ones(3), np.arange(4)
    first = encode(Result({"one": one, "two": two}, {"a": 1, "b": 2}))
    assert encode(Result({"two": two, "one": one}, {"b": 2, "a": 1})) == first


def test_views_are_encoded_by_their_values() -> None:
    array = np.arange(12.0).reshape(3, 4)
    for view in (array[:, ::-1], array.T, array[::2, 1:3]):
        np.testing.assert_array_equal(decode(encode(Result({"x": view}))).arrays["x"], view)


def test_only_the_arrays_that_are_asked_for_are_decoded() -> None:
    data = encode(Result({"one": np.ones(3), "two": np.ones(2)}, {"rate": 8000}))
    found = decode(data, only=("two", "three"))
    assert (list(found.arrays), found.about) == (["two"], {"rate": 8000})


def test_about_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode(Result({}, {"x": float("nan")}))
    with pytest.raises(TypeError, match="not JSON serializable"):
        encode(Result({}, {"x": Path("a")}))


# ---- reading and writing


def test_what_is_written_is_read(store: Store) -> None:
    assert not store.has(KEY)
    record = store.write(KEY, SOUND, kind="convert", label="dio: 103", seconds=1.5)
    assert store.has(KEY)
    assert list(store.keys()) == [KEY]
    assert store.record(KEY) == record
    assert (record.kind, record.label, record.seconds) == ("convert", "dio: 103", 1.5)
    np.testing.assert_array_equal(store.read(KEY).arrays["audio"], SOUND.arrays["audio"])
    assert store.read(KEY).about == {"rate": 16000}
    store.verify(KEY)
    assert store.size() == sum(path.stat().st_size for path in store.files(KEY))


def test_a_result_that_is_not_there(store: Store) -> None:
    for read in (store.read, store.read_bytes, store.record, store.verify):
        with pytest.raises(KeyError):
            read(KEY)
    store.remove(KEY)


def test_keys_are_no_file_names(store: Store) -> None:
    with pytest.raises(ValueError, match="is no key"):
        store.has("../../etc/passwd")


def test_a_store_travels_to_another_process(store: Store) -> None:
    store.write(KEY, SOUND)
    assert pickle.loads(pickle.dumps(store)).has(KEY)


def test_a_result_without_its_record_does_not_exist(store: Store) -> None:
    store.write(KEY, SOUND)
    (store.path / KEY[:2] / f"{KEY}.json").unlink()
    assert not store.has(KEY)


def test_bytes_of_another_machine_are_checked(store: Store) -> None:
    data = encode(SOUND)
    record = Record(sha256(data).hexdigest(), len(data), host="far")
    with pytest.raises(ValueError, match="not those of its record"):
        store.write_bytes(KEY, data[:-1], record)
    assert not store.has(KEY)
    store.write_bytes(KEY, data, record)
    assert store.record(KEY).host == "far"


def test_a_record_of_a_later_version_is_read() -> None:
    assert Record.from_json('{"sha256": "ab", "size": 1, "colour": "red"}').sha256 == "ab"


# ---- damage


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def _flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_truncate, _flip_a_bit, _empty, Path.unlink])
def test_damaged_bytes_are_found_and_removed(store: Store, damage: object) -> None:
    store.write(KEY, SOUND)
    store.write(OTHER, SOUND)
    path = next(path for path in store.files(KEY) if path.suffix == ".safetensors")
    damage(path)  # pyright: ignore[reportCallIssue]
    with pytest.raises(DamagedResultError) as caught:
        store.read(KEY)
    assert caught.value.key == KEY
    assert str(path) in str(caught.value)
    assert isinstance(caught.value, InputError)
    assert isinstance(caught.value, KeyError)
    assert not store.has(KEY)
    assert list(store.keys()) == [OTHER]
    store.write(KEY, SOUND)
    store.verify(KEY)


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'{"size": 3}', b"\xff\x00"])
def test_a_damaged_record_is_found_and_removed(store: Store, text: bytes) -> None:
    store.write(KEY, SOUND)
    (store.path / KEY[:2] / f"{KEY}.json").write_bytes(text)
    with pytest.raises(DamagedResultError, match="no record"):
        store.read(KEY)
    assert not store.has(KEY)


def test_the_error_of_a_damaged_result_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(DamagedResultError(KEY, Path("x"), "torn")))
    assert (error.key, error.path, error.what) == (KEY, Path("x"), "torn")


# ---- many writers


def test_two_results_of_one_key_never_mix(store: Store) -> None:
    """Costs differ each time; two drivers may measure the same plan at once."""

    def write(number: int) -> None:
        for k in range(10):
            store.write(KEY, Result({"x": np.full(50, number * 100 + k)}))
            assert len(set(store.read(KEY).arrays["x"])) == 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    store.verify(KEY)


def test_the_token_is_that_of_the_folder(store: Store, tmp_path: Path) -> None:
    assert store.token() == Store(store.path).token()
    assert store.token() != Store(tmp_path / "other").token()


# ---- a full disk


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(path: Path, flags: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(atomic_write, "_sync", refuse)
        yield


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_named_and_nothing_is_left(store: Store) -> None:
    with pytest.raises(DiskFullError, match="No space left") as caught:
        store.write(KEY, SOUND)
    assert isinstance(caught.value, OutputError)
    assert not list(store.path.rglob("*.*"))


# ---- collection


def _age(store: Store, key: str, days: float) -> None:
    then = time.time() - days * 86400
    for path in store.files(key):
        os.utime(path, (then, then))


def test_what_no_run_used_is_collected(store: Store) -> None:
    for key in (KEY, OTHER):
        store.write(key, SOUND)
        _age(store, key, 40)
    store.touch([OTHER, sha256(b"missing").hexdigest()])
    dry = collect(store, 30 * 86400, dry=True)
    assert store.has(KEY)
    assert collect(store, 30 * 86400) == dry
    assert (dry.results, dry.kept, dry.leftovers) == (1, 1, 0)
    assert dry.freed == dry.kept_bytes > 4000
    assert list(store.keys()) == [OTHER]
    store.verify(OTHER)


def test_leftovers_of_killed_processes_are_collected(store: Store) -> None:
    store.write(KEY, SOUND)
    (part := store.path / KEY[:2] / ".voicegraph-abc.part").write_bytes(b"half")
    (orphan := store.path / KEY[:2] / f"{OTHER}-{'0' * 16}.safetensors").write_bytes(b"old")
    assert collect(store, 86400).leftovers == 0, "a process may be writing them"
    for path in (part, orphan):
        os.utime(path, (0, 0))
    assert collect(store, 86400).leftovers == 2
    assert not part.exists()
    assert not orphan.exists()
    store.verify(KEY)


def test_files_that_killed_processes_were_writing_are_removed(store: Store) -> None:
    store.write(KEY, SOUND)
    (part := store.path / KEY[:2] / ".voicegraph-abc.part").write_bytes(b"half")
    store.remove_unfinished()
    assert part.exists(), "a process may be writing it"
    store.remove_unfinished(0.0)
    assert not part.exists()
    store.verify(KEY)


def test_a_store_that_is_not_there_is_empty(store: Store) -> None:
    assert list(store.keys()) == []
    assert store.size() == 0
    assert collect(store, 0).results == 0


# ---- location


def test_where_the_store_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_store().parts[-1] == "experiments"
    assert store_path(None, tmp_path) == tmp_path / "store"
    monkeypatch.chdir(tmp_path)
    assert store_path("here", tmp_path / "run") == tmp_path / "here"


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname != "Linux", reason="rule of Linux")
def test_the_cache_folder_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_store() == tmp_path / "voicegraph" / "experiments"


def test_a_token_tells_whether_it_is_the_same_folder(store: Store, tmp_path: Path) -> None:
    assert Store(store.path).is_same(store.token())
    other = Store(tmp_path / "other")
    assert not other.is_same(store.token())
    assert not other.path.exists()
