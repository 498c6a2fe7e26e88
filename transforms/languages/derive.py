"""Derive table.npz from py3langid's model: `python -m transforms.languages.derive model.npz.xz` (its data folder)."""

from __future__ import annotations

import io
import lzma
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transforms.kernels.language import LONGEST_GRAM, SHORTEST_GRAM
from transforms.language import TABLE, WEIGHTS_PER_UNIT
from transforms.languages.scripts import APOSTROPHE, MODELLED, POINTS, WIDTH, code_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A gram is left out where its likelihood in no language of the script comes near this (natural logarithm).
RAREST = -9.0


def grams(moves: NDArray[np.uint32], rows: NDArray[np.uint16], outputs: NDArray[np.int32]) -> dict[bytes, int]:
    """Return the n-grams of an Aho-Corasick automaton with their features: the shortest way to the first that has it.

    `moves` [distinct rows, 256] are the next states, rows[state] says which row is a state's, outputs[state] its
    feature or -1.
    """
    ways = {0: b""}
    features: dict[int, bytes] = {}
    waiting = deque([0])
    while waiting:
        state = waiting.popleft()
        if outputs[state] >= 0:
            features.setdefault(int(outputs[state]), ways[state])
        row = moves[rows[state]]
        for byte in np.nonzero(row)[0].tolist():
            if int(row[byte]) not in ways:
                ways[int(row[byte])] = ways[state] + bytes([byte])
                waiting.append(int(row[byte]))
    return {gram: feature for feature, gram in features.items()}


def written_in(gram: bytes, script: int, leads: frozenset[int]) -> bool:
    """Whether a gram can occur in lower-case words of a script; it may begin and end within a character."""
    whole = gram.lstrip(bytes(range(0x80, 0xC0)))
    text = whole.decode("utf-8", errors="ignore")
    rest = whole[len(text.encode("utf-8")) :]
    if not gram.strip(b" '") or (rest and rest[0] not in leads) or (len(gram) - len(whole) and len(leads) == 0):
        return False
    return all(
        letter in (" ", APOSTROPHE)
        or (ord(letter) < POINTS and code_points()[ord(letter)] == script + 1 and letter == letter.lower())
        for letter in text
    )


def main(path: Path) -> None:
    """Write the table: keys uint64 [grams] (script, then the bytes) in order, weights int8 [grams, WIDTH]."""
    with np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False) as model:
        names = model["classes"].tolist()
        likelihoods = model["ptc"].astype(np.float32)
        found = grams(model["nextmove"].reshape(-1, 256), model["nextmove_row"], model["out_feat"])
    keys: list[int] = []
    weights: list[NDArray[np.int8]] = []
    for place, script in enumerate(MODELLED):
        letters = [chr(point) for point in np.flatnonzero(code_points() == place + 1)]
        leads = frozenset(letter.encode()[0] for letter in letters if not letter.isascii())
        columns = [[at for at, name in enumerate(names) if name == code] for code, _ in script.languages]
        for gram, feature in found.items():
            if not SHORTEST_GRAM <= len(gram) <= LONGEST_GRAM or not written_in(gram, place, leads):
                continue
            row = np.array([likelihoods[feature, column].max() for column in columns])
            if row.max() < RAREST:
                continue
            # What all languages of a script have in common says nothing.
            scaled = np.rint((row - row.mean()) * WEIGHTS_PER_UNIT).clip(-127, 127)
            keys.append(place << 8 * LONGEST_GRAM | int.from_bytes(gram))
            weights.append(np.pad(scaled, (0, WIDTH - len(row))).astype(np.int8))
    order = np.argsort(np.array(keys, np.uint64))
    np.savez_compressed(TABLE, keys=np.array(keys, np.uint64)[order], weights=np.array(weights)[order])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
