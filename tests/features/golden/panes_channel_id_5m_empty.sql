SELECT
  `channel_id`,
  BITMAP_OR_AGG(CASE WHEN `rows` < 0 THEN `bitmap_user_key` END) AS `bitmap_user_key`,
  SUM(CASE WHEN `rows` < 0 THEN `rows` ELSE 0 END) AS `rows`,
  SUM(CASE WHEN `rows` < 0 THEN `sum_emoji_count` END) AS `sum_emoji_count`,
  SUM(CASE WHEN `rows` < 0 THEN `sum_sentiment_score` END) AS `sum_sentiment_score`,
  SUM(CASE WHEN `rows` < 0 THEN `sum_toxic` END) AS `sum_toxic`,
  SUM(CASE WHEN `rows` < 0 THEN `sum_toxicity_rest` END) AS `sum_toxicity_rest`,
  SUM(CASE WHEN `rows` < 0 THEN `sum_toxicity_whole` END) AS `sum_toxicity_whole`,
  `window_time` AS `pane_time`
FROM TABLE(TUMBLE(
    TABLE `panes_channel_id_5m`,
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '5' SECOND))
GROUP BY `channel_id`, `window_start`, `window_end`, `window_time`
