SELECT
  `user_id`,
  BITMAP_OR_AGG(BITMAP_BUILD(ARRAY[`text_key`])) AS `bitmap_text_key`,
  COUNT(*) AS `rows`,
  SUM(CAST((`toxicity` * 1048576e0 - FLOOR(`toxicity` * 1048576e0)) * 4294967296e0 AS BIGINT)) AS `sum_toxicity_rest`,
  SUM(CAST(FLOOR(`toxicity` * 1048576e0) AS BIGINT)) AS `sum_toxicity_whole`,
  `window_time` AS `pane_time`
FROM TABLE(TUMBLE(
    (SELECT `user_id`, `text_key`, `toxicity`, `et`
    FROM `analysed`
    WHERE `stage` = '' AND `user_id` <> '' AND (`kind` NOT IN ('join', 'delete'))),
    DESCRIPTOR(`et`), INTERVAL '10' SECOND))
GROUP BY `user_id`, `window_start`, `window_end`, `window_time`
