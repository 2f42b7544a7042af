"""Measures of cost and of signals: benchmark, block boundaries, F0, spectrogram figures."""

__all__ = ["benchmark", "boundary_metric", "paired_benchmark", "spectrogram_figure"]
