INSERT INTO social_shadow
SELECT channel_id, said.datum, MAP['schema', CAST('e9d79f3763241b1a' AS BYTES)], et
FROM analysed CROSS JOIN UNNEST(`shadow`) AS said (datum)
