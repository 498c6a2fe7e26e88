"""Labels of checkpoints told in ours."""

from __future__ import annotations

import pytest

from echopulse.training.labels import Question, questions
from schemas.errors import EchoPulseError

STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
TOXIC = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


def _asked(tasks: str, labels: tuple[str, ...], told: str = "", links: str = "softmax") -> list[Question]:
    return questions(tasks.split(), dict(enumerate(labels)), links, told, "somebody/some")


def _theirs(tasks: str, labels: tuple[str, ...], told: str = "", links: str = "softmax") -> dict[str, object]:
    return {question.name: question.theirs for question in _asked(tasks, labels, told, links)}


@pytest.mark.parametrize(
    ("task", "labels", "theirs"),
    [
        ("sentiment", ("POS", "NEU", "NEG"), ((2,), (1,), (0,))),
        ("sentiment", ("Negative", "neutral", "Positive"), ((0,), (1,), (2,))),
        ("sentiment", STARS, ((0, 1), (2,), (3, 4))),
        ("hate", ("NON-HATE", "HATE"), ((0,), (1,))),
        ("hate", ("hateful", "nothate"), ((1,), (0,))),
        ("offensive", ("non-offensive", "offensive"), ((0,), (1,))),
        ("toxicity", ("neutral", "toxic"), ((0,), (1,))),
        ("stance.climate", ("none", "against", "favor"), ((0,), (1,), (2,))),
    ],
)
def test_by_name(task: str, labels: tuple[str, ...], theirs: object) -> None:
    """Common names tell by themselves, in whatever case and order."""
    assert _theirs(task, labels) == {task: theirs}


def test_labels_that_hold_each_by_itself() -> None:
    """The one that is meant is taken of many; toxicity brings hate and offence where they are there."""
    assert _theirs("toxicity", TOXIC, links="sigmoid") == {
        "toxicity": ((), (0,)),
        "offensive": ((), (4,)),
        "hate": ((), (5,)),
    }
    assert _theirs("toxicity", ("toxicity",), links="sigmoid") == {"toxicity": ((), (0,))}
    told = "insult=offensive,obscene=offensive"
    assert _theirs("offensive", TOXIC, told, links="sigmoid") == {"offensive": ((), (4, 2))}


def test_as_it_is_told() -> None:
    """A mapping goes before names; by number as by name; what a binary task does not name is its first label."""
    labels = ("LABEL_0", "LABEL_1", "LABEL_2")
    assert _theirs("sentiment", labels, "LABEL_0=negative, 1=neutral, LABEL_2=positive") == {
        "sentiment": ((0,), (1,), (2,))
    }
    three = ("hate speech", "offensive language", "neither")
    told = "hate speech=toxic,offensive language=toxic,hate speech=hate"
    assert _theirs("toxicity", three, told) == {"toxicity": ((2,), (0, 1)), "hate": ((1, 2), (0,))}


def test_columns() -> None:
    """Two labels have one column, several have theirs; a stance has a target."""
    widths = {one.name: (one.width, one.target) for one in _asked("stance.x", ("none", "against", "favor"))}
    assert widths == {"stance.x": (3, "x")}
    assert [one.width for one in _asked("hate", ("hate", "nothate"))] == [1]


@pytest.mark.parametrize(
    ("task", "labels", "told", "links", "error"),
    [
        (
            "sentiment",
            ("NEGATIVE", "POSITIVE"),
            "",
            "softmax",
            (
                "somebody/some has the labels 'NEGATIVE', 'POSITIVE', of which not each can be told for negative, "
                "neutral, positive (none of them is neutral)"
            ),
        ),
        (
            "sentiment",
            ("negativ", "neutral", "LABEL_2"),
            "",
            "softmax",
            (
                "somebody/some has the labels 'negativ', 'neutral', 'LABEL_2', of which not each can be told for "
                "negative, neutral, positive (say it: --labels 'negativ=negative,neutral=neutral,"
                "LABEL_2=negative|neutral|positive')"
            ),
        ),
        (
            "sentiment",
            ("negative", "neutral", "positive"),
            "",
            "sigmoid",
            (
                "somebody/some says of each of its labels whether it holds; sentiment wants the one of several that "
                "does (its labels: negative, neutral, positive)"
            ),
        ),
        (
            "sentiment",
            ("a", "b", "c"),
            "a",
            "softmax",
            "--labels: 'a' is not THEIRS=OURS (ours: negative, neutral, positive)",
        ),
        (
            "sentiment",
            ("LABEL_0", "LABEL_1", "LABEL_2"),
            "LABEL0=negative",
            "softmax",
            "--labels: the checkpoint has no label 'LABEL0' (did you mean 'LABEL_0'?)",
        ),
        (
            "sentiment",
            ("LABEL_0", "LABEL_1", "LABEL_2"),
            "LABEL_0=negativ",
            "softmax",
            "--labels: no label 'negativ' in sentiment (did you mean 'negative'?)",
        ),
        ("sentimnt", ("a",), "", "softmax", "no task 'sentimnt' (did you mean 'sentiment'?)"),
        ("stance", ("a",), "", "softmax", "a checkpoint's stance is toward one target (name it: stance.TARGET)"),
        ("hate.x", ("a",), "", "softmax", "a checkpoint's hate is toward none (the task is hate)"),
    ],
)
def test_faults(task: str, labels: tuple[str, ...], told: str, links: str, error: str) -> None:
    """What cannot be told names the checkpoint's labels and the near miss."""
    with pytest.raises(EchoPulseError) as raised:
        _asked(task, labels, told, links)
    assert str(raised.value) == error


def test_a_stronger_word_is_not_what_is_left() -> None:
    """By names, a label that nobody knows is not taken for the opposite."""
    with pytest.raises(EchoPulseError, match="not each can be told for not_toxic, toxic"):
        _asked("toxicity", ("toxic", "very toxic"))
