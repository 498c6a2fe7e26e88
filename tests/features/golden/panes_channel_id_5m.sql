SELECT `channel_id`, `bitmap_user_key`, `rows`, `sum_emoji_count`, `sum_sentiment_score`, `sum_toxic`, `sum_toxicity_rest`, `sum_toxicity_whole`, `pane_time`
FROM `panes_channel_id_5m_every_1m`
WHERE MOD(EXTRACT(EPOCH FROM `pane_time`) + 1, 300) = 0
