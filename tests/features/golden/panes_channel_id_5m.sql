SELECT
  `channel_id`,
  BITMAP_OR_AGG(`bitmap_user_key`) AS `bitmap_user_key`,
  SUM(`rows`) AS `rows`,
  SUM(`sum_emoji_count`) AS `sum_emoji_count`,
  SUM(`sum_sentiment_score`) AS `sum_sentiment_score`,
  SUM(`sum_toxic`) AS `sum_toxic`,
  SUM(`sum_toxicity_rest`) AS `sum_toxicity_rest`,
  SUM(`sum_toxicity_whole`) AS `sum_toxicity_whole`,
  `window_time` AS `pane_time`
FROM TABLE(TUMBLE(
    TABLE `panes_channel_id`,
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '4' SECOND))
GROUP BY `channel_id`, `window_start`, `window_end`, `window_time`
