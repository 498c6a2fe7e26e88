SELECT
  `channel_id`,
  SUM(`rows`) AS `message_count`,
  COALESCE(BITMAP_CARDINALITY(BITMAP_OR_AGG(`bitmap_user_key`)), 0) AS `distinct_users`,
  (CAST(SUM(`sum_toxic`) AS DOUBLE) / SUM(`rows`)) AS `toxic_share`,
  (((CAST(SUM(`sum_toxicity_whole`) AS DOUBLE) + CAST(SUM(`sum_toxicity_rest`) AS DOUBLE) / 4294967296e0) / 1048576e0) / SUM(`rows`)) AS `mean_toxicity`,
  (CAST(SUM(`sum_sentiment_score`) AS DOUBLE) / SUM(`rows`)) AS `sentiment_balance`,
  (CAST(SUM(`sum_emoji_count`) AS DOUBLE) / SUM(`rows`)) AS `emoji_rate`,
  CAST(`window_end` - INTERVAL '1.400' SECOND AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(TUMBLE(
    (SELECT * FROM (
      SELECT `channel_id`, `bitmap_user_key`, `rows`, `sum_emoji_count`, `sum_sentiment_score`, `sum_toxic`, `sum_toxicity_rest`, `sum_toxicity_whole`, `pane_time` FROM `panes_channel_id` UNION ALL
      SELECT `channel_id`, `bitmap_user_key`, `rows`, `sum_emoji_count`, `sum_sentiment_score`, `sum_toxic`, `sum_toxicity_rest`, `sum_toxicity_whole`, `pane_time` FROM `panes_channel_id_55m_before_5m`)),
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '1.400' SECOND))
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
FROM `panes_channel_id_5m_last_5m`
WHERE `last_pane` >= `event_timestamp` - INTERVAL '65' MINUTE AND `last_pane` < `event_timestamp` - INTERVAL '1' HOUR
