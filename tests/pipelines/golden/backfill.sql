CREATE TEMPORARY TABLE lake_events (
  event_id STRING, channel_id STRING, user_id STRING, kind STRING, target STRING, ts TIMESTAMP(3),
  toxicity DOUBLE, toxic INT, sentiment_score INT, emoji_count INT, user_key INT, text_key INT,
  late BOOLEAN, event BYTES, `result` BYTES,
  `date` STRING, `hour` STRING,
  et AS CAST(ts AS TIMESTAMP_LTZ(3)),
  WATERMARK FOR et AS et
) PARTITIONED BY (`date`, `hour`) WITH (
  'connector' = 'filesystem',
  'path' = 's3://bucket/lake/events',
  'format' = 'parquet',
  'parquet.utc-timezone' = 'true'
);

CREATE TEMPORARY TABLE lake_channel_1m (
  channel_id STRING,
  message_count BIGINT,
  mean_toxicity DOUBLE,
  event_timestamp TIMESTAMP(3),
  written_ms BIGINT,
  `date` STRING, `hour` STRING
) PARTITIONED BY (`date`, `hour`) WITH (
  'connector' = 'filesystem',
  'path' = 's3://bucket/lake/_backfill/a/features/channel_1m',
  'format' = 'parquet',
  'parquet.compression' = 'SNAPPY',
  'parquet.enable.dictionary' = 'false',
  'parquet.utc-timezone' = 'true',
  'sink.rolling-policy.file-size' = '128MB'
);

CREATE TEMPORARY VIEW span AS
SELECT * FROM lake_events
WHERE `date` || '/' || `hour` BETWEEN '2026-01-30/23' AND '2026-01-31/07'
  AND ts >= TIMESTAMP '2026-01-30 23:58:50.000' AND ts < TIMESTAMP '2026-01-31 07:30:00.000';

CREATE TEMPORARY VIEW analysed AS
SELECT et, '' AS `stage`, '' AS `reason`, `event_id`, `channel_id`, `user_id`, `kind`, `target`, `toxicity`, `toxic`, `sentiment_score`, `emoji_count`, `user_key`, `text_key`, `result`
FROM span;

CREATE TEMPORARY VIEW panes_channel_id AS
SELECT * FROM analysed;

INSERT INTO lake_channel_1m
SELECT channel_id, message_count, mean_toxicity, CAST(event_timestamp AS TIMESTAMP(3)),
  CAST(EXTRACT(EPOCH FROM event_timestamp) AS BIGINT) * 1000 + 5000,
  CAST(CAST(event_timestamp AS DATE) AS STRING), LPAD(CAST(EXTRACT(HOUR FROM event_timestamp) AS STRING), 2, '0')
FROM (
SELECT channel_id, message_count, mean_toxicity, event_timestamp FROM windows
) WHERE event_timestamp > TO_TIMESTAMP_LTZ(1769817600000, 3) AND event_timestamp <= TO_TIMESTAMP_LTZ(1769844600000, 3);

