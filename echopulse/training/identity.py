"""Sentences of our own that merely name a group of people: some to learn from, others to count false positives on."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from echopulse.training.heads import Lessons, width
from transforms.model import question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from echopulse.training.heads import Head
    from transforms.model import Model

#: Group to adjectives that name its people.
TERMS: dict[str, tuple[str, ...]] = {
    "religion": ("muslim", "jewish", "christian", "catholic", "hindu", "sikh", "buddhist", "atheist"),
    "origin": (
        *("black", "white", "asian", "latino", "mexican", "arab", "indian", "chinese", "african", "african american"),
        *("jamaican", "turkish", "polish", "immigrant", "refugee", "migrant"),
    ),
    "orientation and gender": ("gay", "lesbian", "bisexual", "trans", "transgender", "queer", "straight", "feminist"),
    "sex and age": ("female", "male", "young", "old", "elderly"),
    "disability": ("deaf", "blind", "disabled", "autistic", "dyslexic", "wheelchair using"),
}
#: What a model may learn from; none of these is evaluated on.
LEARNT = (
    "my {} friend is coming over for dinner tonight",
    "the {} community in our town opened a new library",
    "a {} woman won the local chess tournament",
    "i grew up in a {} family",
    "proud to be {}",
    "she is a {} writer and i enjoy her books",
    "an interview with a {} teacher about her work",
    "{} people live here too",
    "he is {}",
    "there were some {} kids playing football in the park",
    "as a {} man i want to say thank you",
    "many {} voters went to the polls today",
    "our new doctor is {} and very kind",
    "a documentary about {} history is on tonight",
    "{} women deserve the same pay",
    "are there any {} streamers you would recommend",
)
#: What false positives are counted on; none of these is learnt from.
ASKED = (
    "i am {}",
    "she told me that she is {}",
    "my neighbours are {} and we share a garden",
    "happy to see more {} people on stage this year",
    "a {} student asked a good question in class",
    "the mayor met {} leaders on monday",
    "can a {} person join the club",
    "his grandmother was {}",
    "{} girls are running the bake sale",
    "two {} men opened a coffee shop around the corner",
    "what is it like to be {} in this city",
    "i watched a film by a {} director",
    "we hired a {} engineer last week",
    "{} and proud, good morning chat",
)
#: Heads that learn that naming a group says nothing.
_LEARNING = ("offensive", "hate", "toxicity")


def sentences(templates: Sequence[str]) -> tuple[pa.StringArray, NDArray[np.str_]]:
    """Return every template with every term, and the group that each names."""
    named = [(group, term) for group, terms in TERMS.items() for term in terms]
    pairs = list(product(templates, named))
    return (
        pa.array([template.format(term) for template, (_, term) in pairs], pa.string()),
        np.array([group for _, (group, _) in pairs]),
    )


def identity_lessons(heads: Sequence[Head]) -> Lessons:
    """Return the sentences to learn from, each wanted to be neither offensive, hateful nor toxic.

    Balancing a term's contexts is the remedy of Dixon et al. 2018, "Measuring and Mitigating Unintended Bias".
    """
    texts, _ = sentences(LEARNT)
    weights = np.zeros((len(texts), len(heads)), np.float32)
    for index, head in enumerate(heads):
        weights[:, index] = head.name in _LEARNING
    if not weights.any():
        texts, weights = texts.slice(0, 0), weights[:0]
    return Lessons(texts, np.zeros((len(texts), width(heads)), np.float32), weights)


def identity_false_positives(model: Model, task: str = "toxicity") -> dict[str, Any]:
    """Return the share of the evaluated sentences that a model takes for toxic: in all and by group, in percent."""
    texts, groups = sentences(ASKED)
    batch = question(texts)
    said = model.answer(task, batch).chosen == 1
    shares = {group: round(100.0 * float(said[groups == group].mean()), 2) for group in TERMS}
    return {"rows": len(texts), "all": round(100.0 * float(said.mean()), 2), "groups": shares}
