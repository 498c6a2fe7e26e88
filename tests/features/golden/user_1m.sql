SELECT
  `user_id`,
  (CAST(`rows` AS DOUBLE) / CAST(1.0 AS DOUBLE)) AS `message_rate`,
  (CAST(`sum_toxicity` AS DOUBLE) / `rows`) AS `mean_toxicity`,
  (`rows` - COALESCE(BITMAP_CARDINALITY(`bitmap_text_key`), 0)) AS `repeats`,
  CAST(`pane_end` AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM `panes_user_id`
