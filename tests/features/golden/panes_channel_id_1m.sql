SELECT `channel_id`, `bitmap_user_key`, `rows`, `sum_emoji_count`, `sum_sentiment_score`, `sum_toxic`, `sum_toxicity_rest`, `sum_toxicity_whole`, `pane_time`
FROM `panes_channel_id_1m_every_10s`
WHERE MOD(EXTRACT(EPOCH FROM `pane_time`) + 1, 60) = 0
