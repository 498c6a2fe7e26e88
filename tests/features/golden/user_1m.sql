SELECT
  `user_id`,
  (CAST(SUM(`rows`) AS DOUBLE) / CAST(1.0 AS DOUBLE)) AS `message_rate`,
  (((CAST(SUM(`sum_toxicity_whole`) AS DOUBLE) + CAST(SUM(`sum_toxicity_rest`) AS DOUBLE) / 4294967296e0) / 1048576e0) / SUM(`rows`)) AS `mean_toxicity`,
  (SUM(`rows`) - COALESCE(BITMAP_CARDINALITY(BITMAP_OR_AGG(`bitmap_text_key`)), 0)) AS `repeats`,
  CAST(`window_end` - INTERVAL '0.200' SECOND AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(TUMBLE(
    TABLE `panes_user_id`,
    DESCRIPTOR(`pane_time`), INTERVAL '1' MINUTE, INTERVAL '0.200' SECOND))
GROUP BY `user_id`, `window_start`, `window_end`
UNION ALL
SELECT
  `user_id`,
  (CAST(CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END AS DOUBLE) / CAST(1.0 AS DOUBLE)) AS `message_rate`,
  CASE WHEN `last_pane` >= `event_timestamp` THEN CAST('0' AS DOUBLE) END AS `mean_toxicity`,
  (CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END - CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END) AS `repeats`,
  `event_timestamp` AS `event_timestamp`
FROM `panes_user_id_last_1m`
WHERE `last_pane` >= `event_timestamp` - INTERVAL '2' MINUTE AND `last_pane` < `event_timestamp` - INTERVAL '1' MINUTE
