SELECT
  `user_id`,
  BITMAP_OR_AGG(CASE WHEN `rows` < 0 THEN `bitmap_text_key` END) AS `bitmap_text_key`,
  SUM(CASE WHEN `rows` < 0 THEN `rows` ELSE 0 END) AS `rows`,
  SUM(CASE WHEN `rows` < 0 THEN `sum_toxicity_rest` END) AS `sum_toxicity_rest`,
  SUM(CASE WHEN `rows` < 0 THEN `sum_toxicity_whole` END) AS `sum_toxicity_whole`,
  `window_time` AS `pane_time`
FROM TABLE(TUMBLE(
    TABLE `panes_user_id_5m`,
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '5' SECOND))
GROUP BY `user_id`, `window_start`, `window_end`, `window_time`
