SELECT
  `channel_id`,
  SUM(`rows`) AS `message_count`,
  COALESCE(BITMAP_CARDINALITY(BITMAP_OR_AGG(`bitmap_user_key`)), 0) AS `distinct_users`,
  (CAST(SUM(`sum_toxic`) AS DOUBLE) / SUM(`rows`)) AS `toxic_share`,
  (CAST(SUM(`sum_toxicity`) AS DOUBLE) / SUM(`rows`)) AS `mean_toxicity`,
  (CAST(SUM(`sum_sentiment_score`) AS DOUBLE) / SUM(`rows`)) AS `sentiment_balance`,
  (CAST(SUM(`sum_emoji_count`) AS DOUBLE) / SUM(`rows`)) AS `emoji_rate`,
  CAST(`window_end` AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(HOP(
    TABLE `panes_channel_id`,
    DESCRIPTOR(`pane_time`), INTERVAL '10' SECOND, INTERVAL '1' MINUTE))
GROUP BY `channel_id`, `window_start`, `window_end`
