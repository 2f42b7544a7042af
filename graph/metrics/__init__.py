"""Measures of cost and of signals, as plain functions with their mathematics.

Of two signals: difference value by value, spectra, F0, features, alignment. Of plans: benchmarks.
"""

__all__ = [
    "benchmark",
    "boundary_metric",
    "cost_in_turns",
    "cross_correlation",
    "ctc",
    "edit_distance",
    "f0_contour",
    "f0_error",
    "feature_similarity",
    "mean_interval",
    "paired_benchmark",
    "sample_difference",
    "shift_interval",
    "spectral_distance",
    "spectrogram_figure",
]
