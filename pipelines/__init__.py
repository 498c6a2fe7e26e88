"""The Flink DAGs: the same declarations as a stream and as a batch."""
