"""Pure analysis: record batches in, Arrow out; no Kafka, no Flink, no network."""
