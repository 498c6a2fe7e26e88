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
  'properties.isolation.level' = 'read_committed',
  'properties.fetch.max.wait.ms' = '50',
  'scan.startup.mode' = 'group-offsets',
  'scan.watermark.idle-timeout' = '60000 ms',
  'format' = 'raw'
);

CREATE TEMPORARY TABLE social_analysis (
  channel_id STRING NOT NULL,
  `result` BYTES NOT NULL,
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
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'echopulse-signals-social.analysis',
  'key.format' = 'raw',
  'key.fields' = 'channel_id',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
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
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'echopulse-signals-social.dlq',
  'key.format' = 'raw',
  'key.fields' = 'origin',
  'value.format' = 'avro',
  'value.fields-include' = 'ALL'
);

CREATE TEMPORARY TABLE lake_events (
  event_id STRING, channel_id STRING, user_id STRING, kind STRING, target STRING, ts TIMESTAMP(3),
  toxicity DOUBLE, toxic INT, sentiment_score INT, emoji_count INT, user_key INT, text_key INT,
  late BOOLEAN, event BYTES, `result` BYTES,
  `date` STRING, `hour` STRING
) PARTITIONED BY (`date`, `hour`) WITH (
  'connector' = 'filesystem',
  'path' = 's3://bucket/lake/events',
  'format' = 'parquet',
  'parquet.compression' = 'SNAPPY',
  'parquet.enable.dictionary' = 'false',
  'parquet.column.statistics.enabled#event' = 'false',
  'parquet.column.statistics.enabled#result' = 'false',
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
  'parquet.enable.dictionary' = 'false',
  'parquet.utc-timezone' = 'true',
  'sink.rolling-policy.file-size' = '128MB'
);

CREATE TEMPORARY VIEW analysis AS
SELECT q.et, q.arrival, q.`value`, q.record_partition, q.record_offset,
  q.r.`stage` AS `stage`, q.r.`reason` AS `reason`, q.r.`event_id` AS `event_id`, q.r.`channel_id` AS `channel_id`, q.r.`user_id` AS `user_id`, q.r.`kind` AS `kind`, q.r.`target` AS `target`, q.r.`toxicity` AS `toxicity`, q.r.`toxic` AS `toxic`, q.r.`sentiment_score` AS `sentiment_score`, q.r.`emoji_count` AS `emoji_count`, q.r.`user_key` AS `user_key`, q.r.`text_key` AS `text_key`, q.r.`result` AS `result`, q.r.`digest` AS `digest`
FROM (
  SELECT et, arrival, `value`, record_partition, record_offset, analyse(`value`, et) AS r FROM social_events
) AS q;

CREATE TEMPORARY VIEW analysed AS
SELECT et, `value`, `stage`, `event_id`, `channel_id`, `user_id`, `kind`, `target`, `toxicity`, `toxic`, `sentiment_score`, `emoji_count`, `user_key`, `text_key`, `result`
FROM (
  SELECT et, `value`, `stage`, `event_id`, `channel_id`, `user_id`, `kind`, `target`, `toxicity`, `toxic`, `sentiment_score`, `emoji_count`, `user_key`, `text_key`, `result`, ROW_NUMBER() OVER (PARTITION BY channel_id, event_id ORDER BY arrival) AS occurrence
  FROM analysis WHERE stage = ''
) WHERE occurrence = 1;

CREATE TEMPORARY TABLE social_scopes (
  topic STRING NOT NULL METADATA,
  channel_id STRING NOT NULL,
  `result` BYTES NOT NULL,
  record_headers MAP<STRING, BYTES> METADATA FROM 'headers',
  record_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'
) WITH (
  'connector' = 'kafka',
  'topic' = 'social.trends;social.health',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.transaction.timeout.ms' = '600000',
  'properties.compression.type' = 'lz4',
  'properties.linger.ms' = '20',
  'properties.batch.size' = '262144',
  'properties.max.request.size' = '4194304',
  'properties.delivery.timeout.ms' = '300000',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'echopulse-signals-social_scopes',
  'sink.parallelism' = '1',
  'key.format' = 'raw',
  'key.fields' = 'channel_id',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

CREATE TEMPORARY TABLE social_conversations (
  channel_id STRING NOT NULL,
  `result` BYTES NOT NULL,
  record_headers MAP<STRING, BYTES> METADATA FROM 'headers',
  record_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'
) WITH (
  'connector' = 'kafka',
  'topic' = 'social.conversations',
  'properties.bootstrap.servers' = 'kafka:9092',
  'properties.transaction.timeout.ms' = '600000',
  'properties.compression.type' = 'lz4',
  'properties.linger.ms' = '20',
  'properties.batch.size' = '262144',
  'properties.max.request.size' = '4194304',
  'properties.delivery.timeout.ms' = '300000',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'echopulse-signals-social_conversations',
  'sink.parallelism' = '1',
  'key.format' = 'raw',
  'key.fields' = 'channel_id',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
);

CREATE TEMPORARY VIEW crowd_digests AS
SELECT et, channel_id, digest FROM analysis WHERE digest IS NOT NULL;

CREATE TEMPORARY VIEW crowd_panes AS
SELECT channel_id, pane_time, p.terms AS terms, p.sample AS sample, p.messages AS messages
FROM (
  SELECT channel_id, pane_time, crowd_pane(digests) AS p
  FROM (
    SELECT channel_id, window_time AS pane_time, ARRAY_AGG(digest) AS digests
    FROM TABLE(TUMBLE(TABLE crowd_digests, DESCRIPTOR(et), INTERVAL '0 00:00:10.000' DAY TO SECOND(3)))
    GROUP BY channel_id, window_start, window_end, window_time
  )
);

CREATE TEMPORARY VIEW crowd_all AS
SELECT CAST('' AS STRING) AS channel_id, pane_time, crowd_merge(`tables`) AS terms
FROM (
  SELECT window_time AS pane_time, ARRAY_AGG(terms) AS `tables`
  FROM TABLE(TUMBLE(TABLE crowd_panes, DESCRIPTOR(pane_time), INTERVAL '0 00:00:10.000' DAY TO SECOND(3)))
  GROUP BY window_start, window_end, window_time
);

CREATE TEMPORARY VIEW crowd_scopes AS
SELECT channel_id, pane_time, s.trends AS trends, s.health AS health
FROM (
  SELECT channel_id, pane_time, crowd_scope(channel_id, `tables`) AS s
  FROM (
    SELECT channel_id, window_time AS pane_time, ARRAY_AGG(terms) AS `tables`
    FROM TABLE(HOP((SELECT * FROM (
      SELECT channel_id, pane_time, terms FROM crowd_panes
      UNION ALL SELECT channel_id, pane_time, terms FROM crowd_all
    )), DESCRIPTOR(pane_time), INTERVAL '0 00:00:10.000' DAY TO SECOND(3), INTERVAL '0 00:06:00.000' DAY TO SECOND(3)))
    GROUP BY channel_id, window_start, window_end, window_time
    HAVING CAST(MAX(pane_time) AS TIMESTAMP_LTZ(3)) >= CAST(window_end - INTERVAL '0 00:00:10.000' DAY TO SECOND(3) AS TIMESTAMP_LTZ(3))
  )
);

CREATE TEMPORARY VIEW crowd_talk AS
SELECT channel_id, minute_time, crowd_conversations(channel_id, minute_time, samples, messages) AS conversations
FROM (
  SELECT channel_id, CAST(window_time - INTERVAL '0 00:00:05.000' DAY TO SECOND(3) AS TIMESTAMP_LTZ(3)) AS minute_time, ARRAY_AGG(sample) AS samples,
    SUM(messages) AS messages
  FROM TABLE(TUMBLE(TABLE crowd_panes, DESCRIPTOR(pane_time), INTERVAL '1' MINUTE, INTERVAL '0 00:00:05.000' DAY TO SECOND(3)))
  GROUP BY channel_id, window_start, window_end, window_time
);

INSERT INTO social_analysis
SELECT channel_id, `result`, MAP['schema', CAST('2c4c34387cdbfd16' AS BYTES)], et
FROM analysed;

INSERT INTO social_dlq
SELECT stage, reason,
  'social.events/' || CAST(record_partition AS STRING) || '/' || CAST(record_offset AS STRING),
  event_id, CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)), COALESCE(`value`, CAST('' AS BYTES)),
  MAP['schema', CAST('33efb1601c864c03' AS BYTES)]
FROM analysis WHERE stage <> '' AND stage <> 'heartbeat';

INSERT INTO lake_events
SELECT event_id, channel_id, user_id, kind, target, CAST(et AS TIMESTAMP(3)),
  toxicity, toxic, sentiment_score, emoji_count, user_key, text_key,
  FALSE, `value`, `result`, CAST(CAST(et AS DATE) AS STRING), LPAD(CAST(EXTRACT(HOUR FROM et) AS STRING), 2, '0')
FROM analysed WHERE NOT COALESCE(et <= CURRENT_WATERMARK(et), FALSE)
UNION ALL
SELECT event_id, channel_id, user_id, kind, target, CAST(et AS TIMESTAMP(3)),
  toxicity, toxic, sentiment_score, emoji_count, user_key, text_key,
  TRUE, `value`, `result`, CAST(CAST(et AS DATE) AS STRING), LPAD(CAST(EXTRACT(HOUR FROM et) AS STRING), 2, '0')
FROM analysed WHERE COALESCE(et <= CURRENT_WATERMARK(et), FALSE);

INSERT INTO lake_channel_1m
SELECT channel_id, message_count, mean_toxicity, CAST(event_timestamp AS TIMESTAMP(3)), written_ms, CAST(CAST(event_timestamp AS DATE) AS STRING), LPAD(CAST(EXTRACT(HOUR FROM event_timestamp) AS STRING), 2, '0')
FROM (
SELECT channel_id, message_count, mean_toxicity, event_timestamp, write_channel_1m(channel_id, message_count, mean_toxicity, event_timestamp) AS written_ms FROM (
SELECT channel_id, message_count, mean_toxicity, event_timestamp FROM windows
)
UNION ALL
SELECT channel_id, message_count, mean_toxicity, event_timestamp, write_channel_1m_silence(channel_id, message_count, mean_toxicity, event_timestamp) AS written_ms FROM (
SELECT channel_id, 0 AS message_count, CAST(NULL AS DOUBLE) AS mean_toxicity, event_timestamp FROM silent
)
);

INSERT INTO social_scopes
SELECT 'social.trends', channel_id, `trends`, MAP['schema', CAST('18db22c23e640d24' AS BYTES)], CAST(pane_time AS TIMESTAMP_LTZ(3))
FROM crowd_scopes WHERE `trends` IS NOT NULL
UNION ALL
SELECT 'social.health', channel_id, `health`, MAP['schema', CAST('07242563c5622397' AS BYTES)], CAST(pane_time AS TIMESTAMP_LTZ(3))
FROM crowd_scopes WHERE `health` IS NOT NULL;

INSERT INTO social_conversations
SELECT channel_id, `conversations`, MAP['schema', CAST('fe684720a4ea0ec9' AS BYTES)], CAST(minute_time AS TIMESTAMP_LTZ(3))
FROM crowd_talk WHERE `conversations` IS NOT NULL;

