"""The sounds of a page, each once, as its script reads them."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from voicegraph.graph.errors import OutputError
from voicegraph.graph.machine import cores
from voicegraph.schemas.experiment_page import SoundFormat

from ..store import Store
from ..task import Kind, Result
from .page_sound import MOST_BYTES, page_sound, page_sound_key


@dataclass(slots=True)
class Media:
    """The sounds of a page, each once, with spectrogram and F0.

    Args:
        read: a sound by its key; raises KeyError if it is not there.
        format: how sounds are encoded.
        store: where encoded sounds are, and are kept for the next page; None keeps none.

    Attributes:
        items: what the page's script reads, by name.
        missing: keys that could not be read.
        left_out: how many sounds the limit on size has kept out.
    """

    read: Callable[[str], tuple[np.ndarray, int]]
    format: SoundFormat = "opus"
    store: Store | None = None
    items: dict[str, Any] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    left_out: int = 0
    _names: dict[str, str] = field(default_factory=dict)
    _bytes: int = 0
    _waiting: deque[str] = field(default_factory=deque)
    _ahead: dict[str, Future[dict[str, Any] | None]] = field(default_factory=dict)
    _pool: ThreadPoolExecutor | None = None

    @contextmanager
    def encoding_ahead(self, keys: Sequence[str]) -> Iterator[None]:
        """In this block, sounds are encoded on all cores, a few ahead of those that are added.

        Codecs, resampling and F0 let other threads run meanwhile.

        Args:
            keys: in the order in which they will be added.
        """
        from threadpoolctl import threadpool_limits

        threads = cores()
        self._waiting.extend(dict.fromkeys(key for key in keys if key))
        # The products of a picture are small: threads of their own would only wait for each other.
        limit = threadpool_limits(1, "blas")
        with limit, ThreadPoolExecutor(threads, "encodes") as self._pool:
            try:
                self._encode_more(2 * threads)
                yield
            finally:
                self._waiting.clear()
                self._pool.shutdown(cancel_futures=True)
        self._ahead.clear()
        self._pool = None

    def _encode_more(self, count: int) -> None:
        for _ in range(min(count, len(self._waiting))):
            assert self._pool is not None
            key = self._waiting.popleft()
            self._ahead[key] = self._pool.submit(self._item, key)

    def add(self, key: str) -> str | None:
        """The name of a sound in the page; None if it is missing, or there is no room for it."""
        if key in self._names or not key:
            return self._names.get(key)
        if key in self.missing:
            return None
        if self._bytes >= MOST_BYTES:
            self.left_out += 1
            return None
        if (item := self._encoded_item(key)) is None:
            self.missing.add(key)
            return None
        self._bytes += len(item["audio"]) + len(item["picture"])
        name = f"s{len(self.items)}"
        self.items[name] = item
        self._names[key] = name
        return name

    def _encoded_item(self, key: str) -> dict[str, Any] | None:
        """What another thread has made, or else made here."""
        if (future := self._ahead.pop(key, None)) is None:
            return self._item(key)
        self._encode_more(1)
        return future.result()

    def _item(self, key: str) -> dict[str, Any] | None:
        """From the store, or made of the sound; None if that is not there."""
        found = self._kept(page_sound_key(key, self.format))
        if found is None:
            try:
                audio, rate = self.read(key)
            except KeyError:
                return None
            found = page_sound(audio, rate, self.format)
            self._keep(page_sound_key(key, self.format), found)
        return _for_script(found)

    def _kept(self, key: str) -> Result | None:
        """A result of the store; None if there is none, or a damaged one."""
        if self.store is None or not self.store.has(key):
            return None
        with suppress(KeyError):
            found = self.store.read(key)
            self.store.touch([key])
            return found
        return None

    def _keep(self, key: str, found: Result) -> None:
        if self.store is not None:
            with suppress(OutputError):  # a run on a read-only or full disk has a page, too
                self.store.write(key, found, kind=Kind.PAGE, label="a sound of the page")


def _for_script(sound: Result) -> dict[str, Any]:
    """What the page's script reads of a sound."""
    file, picture = (
        base64.b64encode(sound.arrays[name].tobytes()).decode() for name in ("file", "picture")
    )
    return {
        "audio": file,
        "type": sound.about["type"],
        "seconds": sound.about["seconds"],
        "picture": f"data:image/png;base64,{picture}",
        "f0": sound.arrays["f0"].tolist(),
    }


@dataclass(slots=True)
class WantedSounds:
    """Takes the place of :class:`Media` to learn which sounds a page wants, and in which order."""

    keys: list[str] = field(default_factory=list)

    def add(self, key: str) -> str:
        """Notes a sound."""
        self.keys.append(key)
        return key


class Sounds(Protocol):
    """Gives sounds names in a page."""

    def add(self, key: str) -> str | None:
        """The name of a sound; None if it cannot be heard."""
        ...
