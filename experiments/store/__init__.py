"""The store: results by the key of what they depend on; whatever was computed is kept."""

from .collection import Collected, collect
from .errors import DamagedResultError, DiskFullError
from .location import default_store, store_path
from .record import Record
from .store import Store

__all__ = [
    "Collected",
    "DamagedResultError",
    "DiskFullError",
    "Record",
    "Store",
    "collect",
    "default_store",
    "store_path",
]
