"""Drift watched live: what is read from Kafka, what is kept on disk, what is told."""
