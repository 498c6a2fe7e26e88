SELECT
  `user_id`,
  (CAST(SUM(`rows`) AS DOUBLE) / CAST(60.0 AS DOUBLE)) AS `message_rate`,
  (((CAST(SUM(`sum_toxicity_whole`) AS DOUBLE) + CAST(SUM(`sum_toxicity_rest`) AS DOUBLE) / 4294967296e0) / 1048576e0) / SUM(`rows`)) AS `mean_toxicity`,
  (SUM(`rows`) - COALESCE(BITMAP_CARDINALITY(BITMAP_OR_AGG(`bitmap_text_key`)), 0)) AS `repeats`,
  CAST(`window_end` - INTERVAL '1.400' SECOND AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(TUMBLE(
    (SELECT * FROM (
      SELECT `user_id`, `bitmap_text_key`, `rows`, `sum_toxicity_rest`, `sum_toxicity_whole`, `pane_time` FROM `panes_user_id` UNION ALL
      SELECT `user_id`, `bitmap_text_key`, `rows`, `sum_toxicity_rest`, `sum_toxicity_whole`, `pane_time` FROM `panes_user_id_55m_before_5m`)),
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '1.400' SECOND))
GROUP BY `user_id`, `window_start`, `window_end`
UNION ALL
SELECT
  `user_id`,
  (CAST(CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END AS DOUBLE) / CAST(60.0 AS DOUBLE)) AS `message_rate`,
  CASE WHEN `last_pane` >= `event_timestamp` THEN CAST('0' AS DOUBLE) END AS `mean_toxicity`,
  (CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END - CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END) AS `repeats`,
  `event_timestamp` AS `event_timestamp`
FROM `panes_user_id_5m_last_5m`
WHERE `last_pane` >= `event_timestamp` - INTERVAL '65' MINUTE AND `last_pane` < `event_timestamp` - INTERVAL '1' HOUR
