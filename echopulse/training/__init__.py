"""Training and evaluation of the models: from labelled Parquet files to an artifact with its card."""
