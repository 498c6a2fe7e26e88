SELECT
  `user_id`,
  MAX(`pane_time`) - INTERVAL '4' SECOND AS `last_pane`,
  CAST(`window_end` - INTERVAL '5' SECOND AS TIMESTAMP_LTZ(3)) AS `event_timestamp`
FROM TABLE(HOP(
    (SELECT * FROM (
      SELECT `user_id`, `pane_time` FROM `panes_user_id_5m`
      WHERE `rows` > 0 OR CASE WHEN `rows` < 0 THEN `bitmap_text_key` END IS NOT NULL OR CASE WHEN `rows` < 0 THEN `sum_toxicity_rest` END IS NOT NULL OR CASE WHEN `rows` < 0 THEN `sum_toxicity_whole` END IS NOT NULL)),
    DESCRIPTOR(`pane_time`), INTERVAL '5' MINUTE, INTERVAL '65' MINUTE, INTERVAL '5' SECOND))
GROUP BY `user_id`, `window_start`, `window_end`
HAVING MAX(`pane_time`) - INTERVAL '4' SECOND < CAST(`window_end` - INTERVAL '5' SECOND AS TIMESTAMP_LTZ(3)) - INTERVAL '1' HOUR
