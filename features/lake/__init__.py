"""The lake: Parquet by table, date and hour, read and rewritten without Flink. Imports no Feast but for its plug-in."""
