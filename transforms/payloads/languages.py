"""Languages as platforms name them, in ISO 639."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.languages.codes import MEANINGS, UNDETERMINED

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?", re.DOTALL)
#: ISO 639-2 keeps these for local use: X's codes for texts of tags, links or media alone are among them.
_LOCAL = re.compile(r"q[a-t][a-z]")


def language_codes(tags: pa.StringArray) -> pa.StringArray:
    """Return the ISO 639 code of BCP 47 tags (en-US, pt_BR), of two letters where there is one; '' for none."""
    coded = pc.dictionary_encode(tags)
    known = coded.dictionary.to_pylist()
    codes = [language_code(tag) for tag in known]
    if codes == known:
        return tags
    return pa.array(codes, pa.string()).take(pa.array(coded.indices.to_numpy().astype(np.int64)))


def language_code(tag: str) -> str:
    """Return the code of one tag."""
    match = _TAG.fullmatch(tag)
    code = match[1].lower() if match else ""
    meant = MEANINGS.get(code, code)
    return "" if meant == UNDETERMINED or _LOCAL.fullmatch(code) else meant
