"""The library of voices, as users change it: add, edit, merge and remove.

``graph/files/voice_library`` reads it. Archives and folders of strangers are checked here.
"""

from .add import AddRequest, add
from .edit import EditRequest, edit, set_picture
from .merge import MergeRequest, merge
from .removal import remove

__all__ = [
    "AddRequest",
    "EditRequest",
    "MergeRequest",
    "add",
    "edit",
    "merge",
    "remove",
    "set_picture",
]
