"""Loads pipeline files: YAML or Python keys to a validated pipeline."""

__all__ = [
    "document",
    "error_wording",
    "load",
    "model_fields",
    "overrides",
    "portable_document",
    "source_map",
    "sources",
    "validation",
    "values",
]
