SELECT
  `channel_id`,
  SUM(`rows`) AS `message_count`,
  COALESCE(BITMAP_CARDINALITY(BITMAP_OR_AGG(`bitmap_user_key`)), 0) AS `distinct_users`,
  (CAST(SUM(`sum_toxic`) AS DOUBLE) / SUM(`rows`)) AS `toxic_share`,
  (((CAST(SUM(`sum_toxicity_whole`) AS DOUBLE) + CAST(SUM(`sum_toxicity_rest`) AS DOUBLE) / 4294967296e0) / 1048576e0) / SUM(`rows`)) AS `mean_toxicity`,
  (CAST(SUM(`sum_sentiment_score`) AS DOUBLE) / SUM(`rows`)) AS `sentiment_balance`,
  (CAST(SUM(`sum_emoji_count`) AS DOUBLE) / SUM(`rows`)) AS `emoji_rate`,
  CAST(`window_end` AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(HOP(
    (SELECT * FROM (
      SELECT `channel_id`, `bitmap_user_key`, `rows`, `sum_emoji_count`, `sum_sentiment_score`, `sum_toxic`, `sum_toxicity_rest`, `sum_toxicity_whole`,
        CAST(NULL AS TIMESTAMP_LTZ(3)) AS `silent`, `pane_time`
      FROM `panes_channel_id_5m`
      UNION ALL SELECT `channel_id`, `bitmap_user_key`, `rows`, `sum_emoji_count`, `sum_sentiment_score`, `sum_toxic`, `sum_toxicity_rest`, `sum_toxicity_whole`,
        CAST(`window_time` AS TIMESTAMP_LTZ(3)), `window_time`
      FROM TABLE(HOP(
          TABLE `panes_channel_id_5m_empty`,
          DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))
      WHERE `pane_time` < CAST(`window_start` + INTERVAL '5' MINUTE AS TIMESTAMP_LTZ(3)))),
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))
GROUP BY `channel_id`, `window_start`, `window_end`
HAVING SUM(`rows`) > 0 OR MAX(`silent`) >= CAST(`window_end` - INTERVAL '5' MINUTE AS TIMESTAMP_LTZ(3))
