SELECT
  `channel_id`,
  `rows` AS `message_count`,
  COALESCE(BITMAP_CARDINALITY(`bitmap_user_key`), 0) AS `distinct_users`,
  (CAST(`sum_toxic` AS DOUBLE) / `rows`) AS `toxic_share`,
  (((CAST(`sum_toxicity_whole` AS DOUBLE) + CAST(`sum_toxicity_rest` AS DOUBLE) / 4294967296e0) / 1048576e0) / `rows`) AS `mean_toxicity`,
  (CAST(`sum_sentiment_score` AS DOUBLE) / `rows`) AS `sentiment_balance`,
  (CAST(`sum_emoji_count` AS DOUBLE) / `rows`) AS `emoji_rate`,
  CAST(`pane_time` + INTERVAL '0.001' SECOND AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM `panes_channel_id_5m_every_1m`
UNION ALL
SELECT
  `channel_id`,
  CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END AS `message_count`,
  CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END AS `distinct_users`,
  CASE WHEN `last_pane` >= `event_timestamp` THEN CAST('0' AS DOUBLE) END AS `toxic_share`,
  CASE WHEN `last_pane` >= `event_timestamp` THEN CAST('0' AS DOUBLE) END AS `mean_toxicity`,
  CASE WHEN `last_pane` >= `event_timestamp` THEN CAST('0' AS DOUBLE) END AS `sentiment_balance`,
  CASE WHEN `last_pane` >= `event_timestamp` THEN CAST('0' AS DOUBLE) END AS `emoji_rate`,
  `event_timestamp` AS `event_timestamp`
FROM `panes_channel_id_1m_last_1m`
WHERE `last_pane` >= `event_timestamp` - INTERVAL '6' MINUTE AND `last_pane` < `event_timestamp` - INTERVAL '5' MINUTE
