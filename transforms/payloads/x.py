"""X: tweets of API v2, with and without the `data` around them, the older v1.1 form, and notices of deletion.

Fields: https://docs.x.com/x-api/fundamentals/data-dictionary
"""

from __future__ import annotations

from transforms.payloads.declaration import ANY, HTML_CHARACTERS, Payload

PAYLOAD = Payload(
    sources=("x", "twitter"),
    roots=("data", ""),
    # A tweet that was edited lists the ids of its versions, the first one's first.
    shapes=(("delete", "delete.tweet.id"), ("delete", "delete.status.id_str"), ("edit", "edit_history_tweet_ids[1]")),
    text={ANY: ("note_tweet.text", "extended_tweet.full_text", "full_text", "text")},
    target={"edit": ("edit_history_tweet_ids[0]",), "delete": ("delete.tweet.id", "delete.status.id_str")},
    reply_to=(
        "referenced_tweets[type=replied_to].id",
        "in_reply_to_status_id_str",
        "referenced_tweets[type=quoted].id",
        "quoted_status_id_str",
    ),
    thread=("conversation_id",),
    language=("lang",),
    markup=HTML_CHARACTERS,
)
