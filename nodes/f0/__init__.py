"""F0 estimators, exchangeable behind the interface ``F0Estimator``."""

__all__ = [
    "crepe",
    "dio",
    "estimator",
    "fcpe",
    "frame_grid",
    "harvest",
    "mel",
    "onnx",
    "praat",
    "rmvpe",
    "rmvpe_file",
    "salience_bins",
    "swift",
    "swift_network",
]
