SELECT
  `channel_id`,
  BITMAP_OR_AGG(BITMAP_BUILD(ARRAY[`user_key`])) AS `bitmap_user_key`,
  COUNT(*) AS `rows`,
  SUM(CAST(`emoji_count` AS BIGINT)) AS `sum_emoji_count`,
  SUM(CAST(`sentiment_score` AS BIGINT)) AS `sum_sentiment_score`,
  SUM(CAST(`toxic` AS BIGINT)) AS `sum_toxic`,
  SUM(CAST((`toxicity` * 1048576e0 - FLOOR(`toxicity` * 1048576e0)) * 4294967296e0 AS BIGINT)) AS `sum_toxicity_rest`,
  SUM(CAST(FLOOR(`toxicity` * 1048576e0) AS BIGINT)) AS `sum_toxicity_whole`,
  `window_time` AS `pane_time`
FROM TABLE(TUMBLE(
    (SELECT `channel_id`, `emoji_count`, `sentiment_score`, `toxic`, `toxicity`, `user_key`, `et`
    FROM `analysed`
    WHERE `stage` = '' AND `channel_id` <> '' AND (`kind` NOT IN ('join', 'delete'))),
    DESCRIPTOR(`et`), INTERVAL '10' SECOND))
GROUP BY `channel_id`, `window_start`, `window_end`, `window_time`
