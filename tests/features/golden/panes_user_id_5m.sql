SELECT
  `user_id`,
  BITMAP_OR_AGG(`bitmap_text_key`) AS `bitmap_text_key`,
  SUM(`rows`) AS `rows`,
  SUM(`sum_toxicity_rest`) AS `sum_toxicity_rest`,
  SUM(`sum_toxicity_whole`) AS `sum_toxicity_whole`,
  `window_time` AS `pane_time`
FROM TABLE(TUMBLE(
    TABLE `panes_user_id`,
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '4' SECOND))
GROUP BY `user_id`, `window_start`, `window_end`, `window_time`
