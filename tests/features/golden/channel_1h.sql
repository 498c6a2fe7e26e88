SELECT
  `channel_id`,
  SUM(`rows`) AS `message_count`,
  COALESCE(BITMAP_CARDINALITY(BITMAP_OR_AGG(`bitmap_user_key`)), 0) AS `distinct_users`,
  (CAST(SUM(`sum_toxic`) AS DOUBLE) / SUM(`rows`)) AS `toxic_share`,
  (((CAST(SUM(`sum_toxicity_whole`) AS DOUBLE) + CAST(SUM(`sum_toxicity_rest`) AS DOUBLE) / 4294967296e0) / 1048576e0) / SUM(`rows`)) AS `mean_toxicity`,
  (CAST(SUM(`sum_sentiment_score`) AS DOUBLE) / SUM(`rows`)) AS `sentiment_balance`,
  (CAST(SUM(`sum_emoji_count`) AS DOUBLE) / SUM(`rows`)) AS `emoji_rate`,
  CAST(`window_end` AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(HOP(
    TABLE `panes_channel_id_5m`,
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))
GROUP BY `channel_id`, `window_start`, `window_end`
UNION ALL
SELECT
  `channel_id`,
  CAST(0 AS BIGINT) AS `message_count`,
  CAST(0 AS BIGINT) AS `distinct_users`,
  CAST(NULL AS DOUBLE) AS `toxic_share`,
  CAST(NULL AS DOUBLE) AS `mean_toxicity`,
  CAST(NULL AS DOUBLE) AS `sentiment_balance`,
  CAST(NULL AS DOUBLE) AS `emoji_rate`,
  `event_timestamp` AS `event_timestamp`
FROM `panes_channel_id_5m_last_5m`
WHERE `last_pane` >= `event_timestamp` - INTERVAL '65' MINUTE AND `last_pane` < `event_timestamp` - INTERVAL '1' HOUR
