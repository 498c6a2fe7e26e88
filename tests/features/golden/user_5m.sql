SELECT
  `user_id`,
  (CAST(`rows` AS DOUBLE) / CAST(5.0 AS DOUBLE)) AS `message_rate`,
  (((CAST(`sum_toxicity_whole` AS DOUBLE) + CAST(`sum_toxicity_rest` AS DOUBLE) / 4294967296e0) / 1048576e0) / `rows`) AS `mean_toxicity`,
  (`rows` - COALESCE(BITMAP_CARDINALITY(`bitmap_text_key`), 0)) AS `repeats`,
  CAST(`pane_time` + INTERVAL '0.001' SECOND AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM `panes_user_id_5m_every_1m`
UNION ALL
SELECT
  `user_id`,
  (CAST(CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END AS DOUBLE) / CAST(5.0 AS DOUBLE)) AS `message_rate`,
  CASE WHEN `last_pane` >= `event_timestamp` THEN CAST('0' AS DOUBLE) END AS `mean_toxicity`,
  (CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END - CASE WHEN `last_pane` < `event_timestamp` THEN CAST(0 AS BIGINT) END) AS `repeats`,
  `event_timestamp` AS `event_timestamp`
FROM `panes_user_id_last_1m`
WHERE `last_pane` >= `event_timestamp` - INTERVAL '6' MINUTE AND `last_pane` < `event_timestamp` - INTERVAL '5' MINUTE
