"""Retrieval indexes: makes them from content features, compresses and inspects them.

API: ``make``, ``compress``, ``suggest`` and ``inspect_index``, each in its own module.
"""

__all__ = [
    "accuracy",
    "clustering",
    "compress",
    "encodings",
    "feature_files",
    "frontier_figure",
    "index_writer",
    "inspect_index",
    "limits",
    "make",
    "pipeline_features",
    "queries",
    "recode",
    "rotation",
    "source",
    "suggest",
]
