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
    TABLE `panes_channel_id`,
    DESCRIPTOR(`pane_time`), INTERVAL '10' SECOND, INTERVAL '1' MINUTE))
GROUP BY `channel_id`, `window_start`, `window_end`
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
FROM `panes_channel_id_last_10s`
WHERE `last_pane` >= `event_timestamp` - INTERVAL '70' SECOND AND `last_pane` < `event_timestamp` - INTERVAL '1' MINUTE
