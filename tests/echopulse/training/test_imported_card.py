"""Cards of artifacts made of checkpoints."""

from __future__ import annotations

from echopulse.training.card import card
from transforms.artifact import Manifest, Reading, Task

TRAINING = {
    "tasks": ["hate"],
    "checkpoint": "somebody/hate",
    "revision": "abc",
    "licence": "mit",
    "origin": {"model.safetensors": "sha256:" + "0" * 64},
    "architecture": "BertForSequenceClassification",
    "labels": {"hate": {"not_hate": [], "hate": ["HATE"]}},
    "floats": False,
    "off": 0.0123,
}


def test_card() -> None:
    """It names checkpoint, commit, licence, labels, reading and limits, and claims nothing of our own transformer."""
    task = Task(labels=("not_hate", "hate"), columns=(0,), link="sigmoid", slope=1, offsets=(0,))
    manifest = Manifest(
        kind="onnx", name="own", tasks={"hate": task}, files={}, reading=Reading(style="tweet"), training=TRAINING
    )
    text = card(manifest, {"digest": "sha256:1", "tasks": {}})
    for part in (
        "`somebody/hate`, revision `abc`, BertForSequenceClassification",
        "Its licence: mit.",
        "0.0123 off",
        "`http` for a URL and `@user` for a mention",
        "| hate | not_hate | what is left |",
        "| hate | hate | HATE |",
        "`echopulse train hate --checkpoint somebody/hate@abc --output DIR`",
        "At most the first 64 word pieces",
    ):
        assert part in text
    assert "MiniLM" not in text
    assert "## Metrics" not in text
