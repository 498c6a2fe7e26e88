SELECT
  `channel_id`,
  MAX(`pane_time`) - INTERVAL '4' SECOND AS `last_pane`,
  CAST(`window_end` - INTERVAL '5' SECOND AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(HOP(
    (SELECT * FROM (
      SELECT `channel_id`, `pane_time` FROM `panes_channel_id_5m`
      WHERE `rows` > 0 OR CASE WHEN `rows` < 0 THEN `bitmap_user_key` END IS NOT NULL OR CASE WHEN `rows` < 0 THEN `sum_emoji_count` END IS NOT NULL OR CASE WHEN `rows` < 0 THEN `sum_sentiment_score` END IS NOT NULL OR CASE WHEN `rows` < 0 THEN `sum_toxic` END IS NOT NULL OR CASE WHEN `rows` < 0 THEN `sum_toxicity_rest` END IS NOT NULL OR CASE WHEN `rows` < 0 THEN `sum_toxicity_whole` END IS NOT NULL)),
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '65' MINUTE, INTERVAL '5' SECOND))
GROUP BY `channel_id`, `window_start`, `window_end`
HAVING MAX(`pane_time`) - INTERVAL '4' SECOND < CAST(`window_end` - INTERVAL '5' SECOND AS TIMESTAMP_LTZ(3)) - INTERVAL '1' HOUR
