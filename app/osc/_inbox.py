"""Received OSC messages that wait for their execution, as bytes.

A controller may send faster than a session should spend time on it. Of values for one param only
the last matters, so a new one replaces the one that waits. Commands are kept in their order. Both
are limited in number. All this needs no parsing: an address is at the beginning of a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ._messages import ARGUMENTS, ROOT

MOST_PARAMS, MOST_COMMANDS = 256, 64
"""Values and commands that may wait."""
MOST_VALUES = 8
"""Values of a message, of which a command takes two."""
_BUNDLE = b"#bundle\0"
_BUNDLE_HEAD = 16
"""Bytes of a bundle before its first element: the word and a time tag."""
_START = f"{ROOT}/".encode()
_WORDS = frozenset(word.encode() for word in ARGUMENTS)

Key = int | bytes


class Inbox:
    """Messages in the order of their arrival; that of a param is the order of its last value."""

    def __init__(self) -> None:
        self._waiting: dict[Key, bytes] = {}
        self._commands = 0
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: bytes) -> bool:
        """Adds a message; False if too many wait, so that it is lost."""
        key = _param_key(message)
        if key is None:
            if self._commands >= MOST_COMMANDS:
                return False
            self._commands += 1
            self._waiting[next(self._numbers)] = message
            return True
        replaced = self._waiting.pop(key, None) is not None
        if not replaced and len(self._waiting) - self._commands >= MOST_PARAMS:
            return False
        self._waiting[key] = message
        return True

    def take(self) -> bytes:
        """Removes the first message.

        Raises:
            StopIteration: if there is none.
        """
        key = next(iter(self._waiting))
        if isinstance(key, int):
            self._commands -= 1
        return self._waiting.pop(key)


def split_bundle(datagram: bytes) -> Iterator[bytes]:
    """The messages of a datagram: itself, or those of a bundle and of the bundles in it, in order.

    Raises:
        ValueError: if a bundle is broken; the messages before the fault have been given by then.
    """
    todo = [datagram]
    while todo:
        found = todo.pop()
        if found.startswith(_BUNDLE):
            todo.extend(reversed(_elements(found)))
        else:
            yield found


def _elements(bundle: bytes) -> list[bytes]:
    if len(bundle) < _BUNDLE_HEAD:
        raise ValueError("a bundle without a time tag")
    found, at = [], _BUNDLE_HEAD
    while at < len(bundle):
        size = int.from_bytes(bundle[at : at + 4], "big")
        at += 4 + size
        if size == 0 or at > len(bundle):
            raise ValueError("a bundle whose sizes do not fit its content")
        found.append(bundle[at - size : at])
    return found


def address_of(message: bytes) -> bytes:
    """The address, without parsing."""
    return message.partition(b"\0")[0]


def is_ours(message: bytes) -> bool:
    """Whether the address begins with one of ours; the parser and the session check the rest."""
    return message.startswith(_START) and (
        address_of(message)[len(_START) :].partition(b"/")[0] in _WORDS
    )


def has_many_values(message: bytes) -> bool:
    """Whether it has more values than any command takes: they are not even parsed."""
    tags_at = _after_string(message, 0)
    return message.find(b"\0", tags_at) - tags_at > MOST_VALUES + 1


def _param_key(message: bytes) -> bytes | None:
    """What two messages for the same param have in common; None for commands."""
    address = address_of(message)
    if address.startswith(_START + b"param/"):
        return address
    if address != _START + b"set":
        return None
    name_at = _after_string(message, _after_string(message, 0))
    return address + b" " + message[name_at : message.find(b"\0", name_at)]


def _after_string(message: bytes, start: int) -> int:
    """Where what follows an OSC string begins: it ends with 1 to 4 zeros, at a multiple of 4."""
    end = message.find(b"\0", start)
    return len(message) if end < 0 else end + 4 - end % 4
