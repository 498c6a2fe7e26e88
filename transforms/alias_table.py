"""The alias table: every alias of a knowledge base in one automaton, with its claimants and their context."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from transforms.buffers import string_buffers
from transforms.kernels.names import JOINER, PLAIN, TITLE
from transforms.kernels.vocabulary import fill_vocabulary, hash_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from transforms.knowledge_base import Entity, PlainWords

#: The least probability of NIL, of an alias meaning nothing in the knowledge base.
LEAST_NIL = 0.01
#: Share of a claimant's words that come from the background rather than from its context (λ of Jelinek and Mercer).
BACKGROUND = 0.5
#: Letters that an alias of several words needs to be found as a hashtag.
_SHORTEST_TAG = 4


@dataclass(frozen=True)
class AliasTable:
    r"""Aliases in UTF-8 and lower case; alias a's claimants are claimants[claim_offsets[a] : claim_offsets[a + 1]].

    An alias a with words W around it means the claimant e, or NIL, with the probability
    P(e | a, W) ∝ P(e | a) · P(case | e) · P(beside | e) · ∏_{w ∈ W} P(w | e), normalised over the claimants and NIL.
    That is naive Bayes with a unigram model of each entity, smoothed by the background (C. Zhai, J. Lafferty: A study
    of smoothing methods for language models applied to information retrieval, ACM TOIS 22(2), 2004, Jelinek-Mercer):
    P(w | e) = (1 - λ) [w ∈ T_e] / |T_e| + λ q(w), and λ q(w) for NIL. So a word outside all T_e changes nothing, and
    one in T_e adds the weight log(1 + (1 - λ) / (λ |T_e| q(w))), once however often it stands there.
    T_e are the entity's terms: words of its `context`, its description, its name and its type's context. q(w) is the
    share of w among the terms of all entities. P(e | a) are the priors, scaled down where they exceed 0.99 together;
    NIL has the rest. P(case | e), of the alias's first letter, and P(beside | e), of capitalised
    words beside it, are told in transforms.kernels.linking.
    """

    automaton: BytesAhoCorasick
    ids: tuple[str, ...]
    claim_offsets: NDArray[np.int32]
    claimants: NDArray[np.int32]
    log_priors: NDArray[np.float64]
    nil_log_priors: NDArray[np.float64]
    term_offsets: NDArray[np.int32]
    terms: NDArray[np.int32]
    weights: NDArray[np.float64]
    common: NDArray[np.bool_]
    vocabulary_keys: NDArray[np.uint64]
    vocabulary_terms: NDArray[np.int32]
    uses: NDArray[np.uint8]


def alias_table(entities: Sequence[Entity], words: PlainWords) -> AliasTable:
    """Build the table; an alias of several words is found as a hashtag without its spaces as well."""
    claims = _claims(entities)
    aliases = sorted(claims)
    offsets = np.cumsum([0, *(len(claims[alias]) for alias in aliases)], dtype=np.int32)
    priors = np.array([prior for alias in aliases for prior in claims[alias].values()], np.float64)
    totals = np.add.reduceat(priors, offsets[:-1]) if aliases else priors
    scale = np.minimum(1.0, (1 - LEAST_NIL) / np.maximum(totals, LEAST_NIL))
    automaton = BytesAhoCorasick(
        [alias.encode() for alias in aliases], matchkind=MatchKind.Standard, implementation=Implementation.DFA
    )
    vocabulary = _Vocabulary(entities, words)
    return AliasTable(
        automaton=automaton,
        ids=tuple(entity.id for entity in entities),
        claim_offsets=offsets,
        claimants=np.array([number for alias in aliases for number in claims[alias]], np.int32),
        log_priors=np.log(np.maximum(priors * np.repeat(scale, np.diff(offsets)), np.finfo(np.float64).tiny)),
        nil_log_priors=np.log(1 - np.minimum(totals, 1 - LEAST_NIL)),
        term_offsets=vocabulary.offsets,
        terms=vocabulary.terms,
        weights=vocabulary.weights,
        common=np.array([entity.type in words.common_types for entity in entities], np.bool_),
        vocabulary_keys=vocabulary.keys,
        vocabulary_terms=vocabulary.key_terms,
        uses=vocabulary.uses,
    )


def _claims(entities: Sequence[Entity]) -> dict[str, dict[int, float]]:
    """The claimants of each alias, by their number, with their priors."""
    claims: dict[str, dict[int, float]] = {}
    for number, entity in enumerate(entities):
        priors = dict.fromkeys((entity.name, *entity.aliases), entity.prior) | dict(entity.alias_priors)
        for alias, prior in priors.items():
            if folded := fold(alias):
                claims.setdefault(folded, {})[number] = prior
    tags: dict[str, dict[int, float]] = {}
    for alias, claimants in claims.items():
        letters = "".join(character for character in alias if character.isalnum() or character == "_")
        if letters != alias and alias[0] not in "#@$" and len(letters) >= _SHORTEST_TAG and not letters.isdigit():
            tags.setdefault("#" + letters, {}).update(claimants)
    return tags | claims


class _Vocabulary:
    """The terms of all entities as numbers: a hash table from word to term, each entity's terms and their weights."""

    def __init__(self, entities: Sequence[Entity], words: PlainWords) -> None:
        ignored = _hashed((*words.plain, *words.joiners, *words.title))
        own = [np.unique(np.array(sorted(_hashed(_terms(entity, words)) - ignored), np.uint64)) for entity in entities]
        counts = Counter(key for keys in own for key in keys.tolist())
        hashes = np.array([*sorted(counts), *sorted(ignored)], np.uint64)
        term_of = {key: term for term, key in enumerate(hashes.tolist())}
        self.keys = np.zeros(1 << max(4, (2 * len(hashes)).bit_length()), np.uint64)
        self.key_terms = np.full(len(self.keys), -1, np.int32)
        fill_vocabulary(hashes, self.keys, self.key_terms)
        self.uses = np.zeros(len(hashes), np.uint8)
        for use, group in ((PLAIN, words.plain), (JOINER, words.joiners), (TITLE, words.title)):
            self.uses[[term_of[key] for key in _hashed(group)]] |= use
        self.offsets = np.cumsum([0, *map(len, own)], dtype=np.int32)
        self.terms = np.array([term_of[key] for keys in own for key in keys.tolist()], np.int32)
        sizes = np.repeat(np.diff(self.offsets), np.diff(self.offsets))
        shares = np.array([counts[key] for keys in own for key in keys.tolist()], np.float64) / max(1, counts.total())
        self.weights = np.log1p((1 - BACKGROUND) / (BACKGROUND * sizes * shares))


def _terms(entity: Entity, words: PlainWords) -> list[str]:
    told = " ".join((*entity.context, entity.description, entity.name, *words.type_context.get(entity.type, ())))
    return split_words(fold(told))


def split_words(text: str) -> list[str]:
    """Return the runs of letters, digits and underscores of a folded text."""
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in text).split()


def _hashed(words: Iterable[str]) -> set[int]:
    values, offsets = string_buffers(pa.array([fold(word) for word in words], pa.string()))
    hashes = np.empty(len(offsets) - 1, np.uint64)
    hash_words(values, offsets, hashes)
    return set(hashes.tolist())


def fold(alias: str) -> str:
    """Return an alias as it is matched: Unicode NFKC in lower case, without spaces around it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", alias).lower()).strip()
