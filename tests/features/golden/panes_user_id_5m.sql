SELECT `user_id`, `bitmap_text_key`, `rows`, `sum_toxicity_rest`, `sum_toxicity_whole`, `pane_time`
FROM `panes_user_id_5m_every_1m`
WHERE MOD(EXTRACT(EPOCH FROM `pane_time`) + 1, 300) = 0
