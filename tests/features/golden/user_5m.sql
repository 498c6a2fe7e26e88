SELECT
  `user_id`,
  (CAST(COUNT(*) AS DOUBLE) / CAST(5.0 AS DOUBLE)) AS `message_rate`,
  AVG(CAST(`toxicity` AS DOUBLE)) AS `mean_toxicity`,
  (COUNT(*) - COUNT(DISTINCT `text_key`)) AS `repeats`,
  CAST(`window_end` AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(HOP(
    (SELECT `user_id`, `text_key`, `toxicity`, `et` FROM `analysed`
    WHERE `stage` = '' AND `user_id` <> '' AND (`kind` NOT IN ('join', 'delete'))),
    DESCRIPTOR(`et`), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE))
GROUP BY `user_id`, `window_start`, `window_end`
