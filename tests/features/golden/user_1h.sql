SELECT
  `user_id`,
  (CAST(SUM(`rows`) AS DOUBLE) / CAST(60.0 AS DOUBLE)) AS `message_rate`,
  (((CAST(SUM(`sum_toxicity_whole`) AS DOUBLE) + CAST(SUM(`sum_toxicity_rest`) AS DOUBLE) / 4294967296e0) / 1048576e0) / SUM(`rows`)) AS `mean_toxicity`,
  (SUM(`rows`) - COALESCE(BITMAP_CARDINALITY(BITMAP_OR_AGG(`bitmap_text_key`)), 0)) AS `repeats`,
  CAST(`window_end` AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(HOP(
    (SELECT * FROM (
      SELECT `user_id`, `bitmap_text_key`, `rows`, `sum_toxicity_rest`, `sum_toxicity_whole`,
        CAST(NULL AS TIMESTAMP_LTZ(3)) AS `silent`, `pane_time`
      FROM `panes_user_id_5m`
      UNION ALL SELECT `user_id`, `bitmap_text_key`, `rows`, `sum_toxicity_rest`, `sum_toxicity_whole`,
        CAST(`window_time` AS TIMESTAMP_LTZ(3)), `window_time`
      FROM TABLE(HOP(
          TABLE `panes_user_id_5m_empty`,
          DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))
      WHERE `pane_time` < CAST(`window_start` + INTERVAL '5' MINUTE AS TIMESTAMP_LTZ(3)))),
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))
GROUP BY `user_id`, `window_start`, `window_end`
HAVING SUM(`rows`) > 0 OR MAX(`silent`) >= CAST(`window_end` - INTERVAL '5' MINUTE AS TIMESTAMP_LTZ(3))
