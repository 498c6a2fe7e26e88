SELECT
  `channel_id`,
  COUNT(*) AS `message_count`,
  COUNT(DISTINCT NULLIF(`user_id`, '')) AS `distinct_users`,
  AVG(CAST(`toxic` AS DOUBLE)) AS `toxic_share`,
  AVG(CAST(`toxicity` AS DOUBLE)) AS `mean_toxicity`,
  AVG(CAST(`sentiment_score` AS DOUBLE)) AS `sentiment_balance`,
  AVG(CAST(`emoji_count` AS DOUBLE)) AS `emoji_rate`,
  CAST(`window_end` AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(HOP(
    (SELECT `channel_id`, `emoji_count`, `sentiment_score`, `toxic`, `toxicity`, `user_id`, `et` FROM `analysed`
    WHERE `stage` = '' AND `channel_id` <> '' AND (`kind` NOT IN ('join', 'delete'))),
    DESCRIPTOR(`et`), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE))
GROUP BY `channel_id`, `window_start`, `window_end`
