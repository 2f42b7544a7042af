"""The phone recognizer of the package hama, the teacher of the bundled encoder."""

from __future__ import annotations

import functools

from voicegraph.experiments.observers import hama_network
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork

from .third_party_packages import TTS_PACKAGES, package_folder


@functools.cache
def network() -> PhoneticNetwork:
    """The network in float32.

    Raises:
        SystemExit: with the command to type, if the package is not installed.
    """
    return hama_network.load_network(package_folder("hama", TTS_PACKAGES))


def tokens() -> tuple[str, ...]:
    """The meanings of its outputs, in IPA; the last one is ``<blank>``.

    Raises:
        SystemExit: with the command to type, if the package is not installed.
    """
    return hama_network.tokens(package_folder("hama", TTS_PACKAGES))
