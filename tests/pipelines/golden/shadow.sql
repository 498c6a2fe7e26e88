INSERT INTO social_shadow
SELECT channel_id, said.datum, MAP['schema', CAST('beb7b51dc7f4e32a' AS BYTES)], et
FROM analysed CROSS JOIN UNNEST(`shadow`) AS said (datum)
