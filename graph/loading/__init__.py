"""Loads files, of pipelines and others: YAML or Python keys to validated models."""

__all__ = [
    "confinement",
    "document",
    "error_wording",
    "file_kind",
    "library_files",
    "library_values",
    "load",
    "model_fields",
    "overrides",
    "portable_document",
    "source_map",
    "sources",
    "validation",
    "values",
]
