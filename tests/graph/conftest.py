"""The tests of this folder have the nodes and pipelines of ``example_nodes``."""

from ..example_nodes import _test_nodes, build, refused

__all__ = ["_test_nodes", "build", "refused"]
