"""Language tags."""

from __future__ import annotations

import pyarrow as pa

from transforms.payloads.languages import language_codes


def test_codes() -> None:
    """Tags become ISO 639 codes; what is no language, or no tag, becomes ''."""
    codes = {
        "en": "en",
        "EN-us": "en",
        "pt_BR": "pt",
        "deu": "de",
        "in": "id",
        "iw": "he",
        "ckb": "ckb",
        "zh-Hant-TW": "zh",
    }
    codes |= dict.fromkeys(["", "und", "zxx", "qme", "x", "english", "e n", "und-Latn"], "")
    assert language_codes(pa.array(list(codes))).to_pylist() == list(codes.values())
    assert language_codes(pa.array(["en", "de", "en"])).to_pylist() == ["en", "de", "en"]
    assert language_codes(pa.array(["", "en-US", "en"])[1:]).to_pylist() == ["en", "en"]
