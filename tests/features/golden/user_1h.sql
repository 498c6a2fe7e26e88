SELECT
  `user_id`,
  (CAST(SUM(`rows`) AS DOUBLE) / CAST(60.0 AS DOUBLE)) AS `message_rate`,
  (CAST(SUM(`sum_toxicity`) AS DOUBLE) / SUM(`rows`)) AS `mean_toxicity`,
  (SUM(`rows`) - COALESCE(BITMAP_CARDINALITY(BITMAP_OR_AGG(`bitmap_text_key`)), 0)) AS `repeats`,
  CAST(`window_end` AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(HOP(
    TABLE `panes_user_id`,
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))
GROUP BY `user_id`, `window_start`, `window_end`
