"""Languages as platforms name them, in ISO 639."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?", re.DOTALL)
#: BCP 47's and X's own codes for what is no language, or none that can be told.
_NONE = re.compile(r"und|zxx|mis|mul|q[a-t][a-z]")
#: Codes that ISO 639 has withdrawn, and those of three letters that have a shorter one.
_OTHERWISE = {
    "in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro",
    "ara": "ar", "deu": "de", "ger": "de", "eng": "en", "fra": "fr", "fre": "fr", "hin": "hi", "ita": "it",
    "jpn": "ja", "kor": "ko", "nld": "nl", "dut": "nl", "pol": "pl", "por": "pt", "rus": "ru", "spa": "es",
    "tur": "tr", "ukr": "uk", "zho": "zh", "chi": "zh",
}  # fmt: skip


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
    return "" if _NONE.fullmatch(code) else _OTHERWISE.get(code, code)
