"""Runs of train, tune and evaluate: recorded here, kept by MLflow."""
