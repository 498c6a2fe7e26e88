"""How events come in: files, simulated and live sources, and the way they reach Kafka."""
