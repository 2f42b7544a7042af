"""Fundamental frequency estimators, exchangeable behind the interface ``F0Estimator``."""
