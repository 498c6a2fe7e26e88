"""Models by their digests, over MLflow: who is the champion when, and what it took to become it."""
