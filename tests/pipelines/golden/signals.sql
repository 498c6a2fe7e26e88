CREATE TEMPORARY TABLE social_events (
  `value` BYTES,
  et TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  record_headers MAP<STRING, BYTES> METADATA FROM 'headers' VIRTUAL,
  record_partition INT METADATA FROM 'partition' VIRTUAL,
  record_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  arrival AS PROCTIME(),
  WATERMARK FOR et AS CASE
    WHEN et <= CURRENT_TIMESTAMP OR record_headers['kind'] IS NOT NULL THEN et
    ELSE CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(3)) END - INTERVAL '0 00:00:05.000' DAY TO SECOND(3)
) WITH (
  'connector' = 'kafka',
  'topic' = 'social.events',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.group.id' = 'echopulse-signals',
  'properties.auto.offset.reset' = 'earliest',
  'properties.partition.discovery.interval.ms' = '60000',
  'properties.fetch.max.wait.ms' = '50',
  'scan.startup.mode' = 'group-offsets',
  'scan.watermark.idle-timeout' = '60000 ms',
  'format' = 'raw'
);

CREATE TEMPORARY TABLE social_analysis (
  event_id STRING NOT NULL,
  sentiment STRING NOT NULL,
  toxicity DOUBLE NOT NULL,
  entities ARRAY<STRING NOT NULL> NOT NULL,
  ts TIMESTAMP(3) NOT NULL,
  stance MAP<STRING NOT NULL, STRING NOT NULL> NOT NULL,
  entity_links ARRAY<STRING NOT NULL> NOT NULL,
  cluster STRING NOT NULL,
  `models` MAP<STRING NOT NULL, STRING NOT NULL> NOT NULL,
  channel_id STRING NOT NULL,
  user_id STRING NOT NULL,
  `source` STRING NOT NULL,
  `scores` MAP<STRING NOT NULL, DOUBLE NOT NULL> NOT NULL,
  record_headers MAP<STRING, BYTES> METADATA FROM 'headers',
  record_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'
) WITH (
  'connector' = 'kafka',
  'topic' = 'social.analysis',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.transaction.timeout.ms' = '600000',
  'properties.compression.type' = 'lz4',
  'properties.linger.ms' = '20',
  'properties.batch.size' = '262144',
  'properties.max.request.size' = '4194304',
  'properties.delivery.timeout.ms' = '300000',
  'key.format' = 'raw',
  'key.fields' = 'channel_id',
  'value.format' = 'avro',
  'value.fields-include' = 'ALL',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'echopulse-signals-social.analysis'
);

CREATE TEMPORARY TABLE social_dlq (
  stage STRING NOT NULL,
  reason STRING NOT NULL,
  origin STRING NOT NULL,
  event_id STRING NOT NULL,
  ts TIMESTAMP(3) NOT NULL,
  original BYTES NOT NULL,
  record_headers MAP<STRING, BYTES> METADATA FROM 'headers'
) WITH (
  'connector' = 'kafka',
  'topic' = 'social.dlq',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.transaction.timeout.ms' = '600000',
  'properties.compression.type' = 'lz4',
  'properties.linger.ms' = '20',
  'properties.batch.size' = '262144',
  'properties.max.request.size' = '4194304',
  'properties.delivery.timeout.ms' = '300000',
  'key.format' = 'raw',
  'key.fields' = 'origin',
  'value.format' = 'avro',
  'value.fields-include' = 'ALL',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'echopulse-signals-social.dlq'
);

CREATE TEMPORARY TABLE lake_events (
  event_id STRING, channel_id STRING, user_id STRING, source STRING, kind STRING,
  ts TIMESTAMP(3), sentiment STRING, toxicity DOUBLE,
  score_negative DOUBLE, score_neutral DOUBLE, score_positive DOUBLE,
  toxic INT, sentiment_score INT, emoji_count INT, text_key BIGINT, cluster STRING,
  entities ARRAY<STRING>, entity_links ARRAY<STRING>, stance_targets ARRAY<STRING>, stance_labels ARRAY<STRING>,
  model_sentiment STRING, model_toxicity STRING,
  record_partition INT, record_offset BIGINT, event BYTES,
  `date` STRING, `hour` STRING
) PARTITIONED BY (`date`, `hour`) WITH (
  'connector' = 'filesystem',
  'path' = 's3://bucket/lake/events',
  'format' = 'parquet',
  'parquet.compression' = 'SNAPPY',
  'parquet.utc-timezone' = 'true',
  'sink.rolling-policy.file-size' = '128MB'
);

CREATE TEMPORARY TABLE lake_late (
  event_id STRING, channel_id STRING, user_id STRING, source STRING, kind STRING,
  ts TIMESTAMP(3), sentiment STRING, toxicity DOUBLE,
  score_negative DOUBLE, score_neutral DOUBLE, score_positive DOUBLE,
  toxic INT, sentiment_score INT, emoji_count INT, text_key BIGINT, cluster STRING,
  entities ARRAY<STRING>, entity_links ARRAY<STRING>, stance_targets ARRAY<STRING>, stance_labels ARRAY<STRING>,
  model_sentiment STRING, model_toxicity STRING,
  record_partition INT, record_offset BIGINT, event BYTES,
  `date` STRING, `hour` STRING
) PARTITIONED BY (`date`, `hour`) WITH (
  'connector' = 'filesystem',
  'path' = 's3://bucket/lake/late',
  'format' = 'parquet',
  'parquet.compression' = 'SNAPPY',
  'parquet.utc-timezone' = 'true',
  'sink.rolling-policy.file-size' = '128MB'
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
  'path' = 's3://bucket/lake/features/channel_1m',
  'format' = 'parquet',
  'parquet.compression' = 'SNAPPY',
  'parquet.utc-timezone' = 'true',
  'sink.rolling-policy.file-size' = '128MB'
);

CREATE TEMPORARY VIEW analysis AS
SELECT q.et, q.arrival, q.`value`, q.record_partition, q.record_offset,
  q.r.stage AS stage, q.r.reason AS reason, q.r.event_id AS event_id, q.r.channel_id AS channel_id, q.r.user_id AS user_id, q.r.source AS source, q.r.kind AS kind, q.r.sentiment AS sentiment, q.r.toxicity AS toxicity, q.r.entities AS entities, q.r.entity_links AS entity_links, q.r.cluster AS cluster, q.r.stance_targets AS stance_targets, q.r.stance_labels AS stance_labels, q.r.score_negative AS score_negative, q.r.score_neutral AS score_neutral, q.r.score_positive AS score_positive, q.r.model_sentiment AS model_sentiment, q.r.model_toxicity AS model_toxicity, q.r.toxic AS toxic, q.r.sentiment_score AS sentiment_score, q.r.emoji_count AS emoji_count, q.r.text_key AS text_key
FROM (
  SELECT et, arrival, `value`, record_partition, record_offset, analyse(`value`, et) AS r FROM social_events
) AS q;

CREATE TEMPORARY VIEW analysed AS
SELECT et, `value`, record_partition, record_offset, stage, reason, event_id, channel_id, user_id, source, kind, sentiment, toxicity, entities, entity_links, cluster, stance_targets, stance_labels, score_negative, score_neutral, score_positive, model_sentiment, model_toxicity, toxic, sentiment_score, emoji_count, text_key
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY channel_id, event_id ORDER BY arrival) AS occurrence
  FROM analysis WHERE stage = ''
) WHERE occurrence = 1;

INSERT INTO social_analysis
SELECT event_id, sentiment, toxicity, entities, CAST(et AS TIMESTAMP(3)),
  MAP_FROM_ARRAYS(stance_targets, stance_labels), entity_links, cluster,
  MAP['sentiment', model_sentiment, 'toxicity', model_toxicity],
  channel_id, user_id, source,
  MAP['negative', score_negative, 'neutral', score_neutral, 'positive', score_positive],
  MAP['schema', CAST('f35e8e385ad278af' AS BYTES)], et
FROM analysed;

INSERT INTO social_dlq
SELECT stage, reason,
  'social.events/' || CAST(record_partition AS STRING) || '/' || CAST(record_offset AS STRING),
  event_id, CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)), `value`, MAP['schema', CAST('33efb1601c864c03' AS BYTES)]
FROM analysis WHERE stage <> '' AND stage <> 'heartbeat';

INSERT INTO lake_events SELECT event_id, channel_id, user_id, source, kind, CAST(et AS TIMESTAMP(3)),
  sentiment, toxicity, score_negative, score_neutral, score_positive,
  toxic, sentiment_score, emoji_count, text_key, cluster,
  entities, entity_links, stance_targets, stance_labels, model_sentiment, model_toxicity,
  record_partition, record_offset, `value`,
  DATE_FORMAT(et, 'yyyy-MM-dd'), DATE_FORMAT(et, 'HH') FROM analysed;

INSERT INTO lake_late SELECT event_id, channel_id, user_id, source, kind, CAST(et AS TIMESTAMP(3)),
  sentiment, toxicity, score_negative, score_neutral, score_positive,
  toxic, sentiment_score, emoji_count, text_key, cluster,
  entities, entity_links, stance_targets, stance_labels, model_sentiment, model_toxicity,
  record_partition, record_offset, `value`,
  DATE_FORMAT(et, 'yyyy-MM-dd'), DATE_FORMAT(et, 'HH') FROM analysed WHERE et <= CURRENT_WATERMARK(et);

INSERT INTO lake_channel_1m
SELECT channel_id, message_count, mean_toxicity, CAST(event_timestamp AS TIMESTAMP(3)), written_ms, DATE_FORMAT(event_timestamp, 'yyyy-MM-dd'), DATE_FORMAT(event_timestamp, 'HH')
FROM (SELECT channel_id, message_count, mean_toxicity, event_timestamp, write_channel_1m(channel_id, message_count, mean_toxicity, event_timestamp) AS written_ms FROM (
SELECT channel_id, message_count, mean_toxicity, event_timestamp FROM windows
));

