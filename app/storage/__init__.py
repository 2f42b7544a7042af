"""What the page server keeps for its clients: uploads with limits, names, locks, errors.

No name of a client becomes a path: files are stored under numbers, and names are for people.
"""

from .errors import (
    BusyError,
    ConflictError,
    ExistsError,
    InvalidUploadError,
    NotFoundError,
    StorageFullError,
    TooLargeError,
    TooSlowError,
    UnusableError,
)
from .file_names import archive_names, name_fault, shown_name, stored_suffix
from .folder_lock import FolderLock, is_locked
from .folder_size import free_bytes, remove_folder, size_of
from .upload import (
    ReceivedFile,
    Upload,
    UploadRule,
    UploadSlots,
    named_files,
    receive_upload,
    upload_folder,
)
from .zip_stream import zip_chunks

__all__ = [
    "BusyError",
    "ConflictError",
    "ExistsError",
    "FolderLock",
    "InvalidUploadError",
    "NotFoundError",
    "ReceivedFile",
    "StorageFullError",
    "TooLargeError",
    "TooSlowError",
    "UnusableError",
    "Upload",
    "UploadRule",
    "UploadSlots",
    "archive_names",
    "free_bytes",
    "is_locked",
    "name_fault",
    "named_files",
    "receive_upload",
    "remove_folder",
    "shown_name",
    "size_of",
    "stored_suffix",
    "upload_folder",
    "zip_chunks",
]
