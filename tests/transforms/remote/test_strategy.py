"""Remote strategies, by the one that ships: what it asks, what it says, and what answers for the service."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from schemas.avro import decode_analysis
from schemas.avro_columns import encode_analysis
from schemas.errors import EchoPulseError
from tests.transforms.remote.service import Reply, by_text, scored
from transforms.analysis import Analyser
from transforms.conformance import batch_of, faults
from transforms.remote.strategy import RemoteStrategy
from transforms.strategies.perspective import ENDPOINT, KEY, Perspective
from transforms.strategy import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from tests.transforms.remote.service import Service

    Encode = Callable[..., tuple[pa.BinaryArray, pa.Int64Array]]
    Open = Callable[..., Perspective]


@pytest.fixture
def opened(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Open]:
    """Open the strategy on the server, with options."""
    monkeypatch.setenv(ENDPOINT, service.url)
    monkeypatch.setenv(KEY, "a-key")
    strategies = []

    def perspective(**options: str) -> Perspective:
        strategy = Perspective()
        strategy.open(Context(tmp_path, options))
        strategies.append(strategy)
        return strategy

    yield perspective
    for strategy in strategies:
        strategy.close()


def test_conforms(opened: Open) -> None:
    """It keeps what every strategy keeps."""
    assert faults(opened()) == []


def test_what_is_asked(opened: Open, service: Service) -> None:
    """The question is the documented one, the key is in the query, and equal texts are asked once."""
    rows = opened(threshold="0.2").analyze(batch_of(["xxx", "x", "xxx"])).to_pylist()
    assert all(math.isnan(row.pop(name)) for row in rows for name in ("hate", "offensive"))
    assert rows == [
        {"probability": value, "toxic": toxic, "model": "strategy:perspective"}
        for value, toxic in ((0.3, 1), (0.1, 0), (0.3, 1))
    ]
    assert sorted(document["comment"]["text"] for document in service.asked) == ["x", "xxx"]
    assert service.asked[0] == {
        "comment": {"text": service.asked[0]["comment"]["text"]},
        "requestedAttributes": {"TOXICITY": {}},
        "doNotStore": True,
    }
    assert service.queries == [{"key": ["a-key"]}] * 2


def test_what_it_is_not_asked_is_left_out_of_the_result(
    encode: Encode, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the event to the record that others read: no hate or offence of 0, but none; the fallback's own are told."""
    monkeypatch.setenv(ENDPOINT, service.url)
    service.reply = lambda document: Reply(400) if document["comment"]["text"] == "bad" else by_text(document)
    values, times = encode(*({"metadata": [("text", text)]} for text in ("xxx", "bad")))
    analyser = Analyser({"toxicity": "perspective"}, options={"toxicity/perspective": {"fallback": "bag"}})
    analyser.open()
    analysed = analyser.analyse(values, times)
    analyser.close()
    asked, fallen = (decode_analysis(datum) for datum in encode_analysis(analysed, times).to_pylist())
    assert (asked["toxicity"], asked["models"]["toxicity"]) == (0.3, "strategy:perspective")
    assert asked["scores"].keys() == {"negative", "neutral", "positive"}
    assert fallen["scores"].keys() == {"negative", "neutral", "positive", "hate", "offensive"}


def test_the_language_is_told_where_it_is_known(opened: Open) -> None:
    """An undetermined one is left to the service."""
    strategy = opened()
    assert strategy.body("a", "de") == {**_plain(strategy), "languages": ["de"]}


def _plain(strategy: Perspective) -> Mapping[str, Any]:
    body = strategy.body("a", "und")
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize("value", [None, "0.5", True, -0.1, 1.1, float("nan")])
def test_a_score_that_is_none(value: object, opened: Open, service: Service) -> None:
    """Anything but a number from 0 to 1 is an unreadable answer."""
    service.reply = lambda _: scored(value)
    (row,) = opened().analyze(batch_of(["a"])).to_pylist()
    assert row == _neutral("unreadable")


def _neutral(reason: str) -> dict[str, Any]:
    model = f"strategy:perspective:fallback:{reason}"
    return {"probability": 0.0, "toxic": 0, "hate": 0.0, "offensive": 0.0, "model": model}


def test_single_rows_fall_back(opened: Open, service: Service) -> None:
    """One text's fault is its own: the others, before and behind it, have the service's score."""
    service.reply = lambda document: Reply(400) if document["comment"]["text"] == "bad" else by_text(document)
    rows = opened().analyze(batch_of(["x", "bad", "xx", "bad"])).to_pylist()
    assert [row["probability"] for row in rows] == [0.1, 0.0, 0.2, 0.0]
    assert rows[1] == rows[3] == _neutral("http_400")


def test_another_strategy_answers_for_the_service(
    encode: Encode, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the pass over events: its score, and in `models` why it was asked."""
    monkeypatch.setenv(ENDPOINT, service.url)
    service.reply = lambda _: Reply(400)
    text = [("text", "you stupid idiot")]
    events = encode({"metadata": text}, {"metadata": [*text, ("language", "de")]})
    wanted = _toxicity(Analyser({}), events)
    options = {"toxicity/perspective": {"fallback": "bag"}}
    rows = _toxicity(Analyser({"toxicity": "perspective"}, options=options), events)
    assert rows == [{**row, "model_toxicity": "strategy:perspective:fallback:http_400"} for row in wanted]
    # The fallback does not know German.
    assert wanted[0]["toxicity"] > 0 == wanted[1]["toxicity"]


def _toxicity(analyser: Analyser, encoded: tuple[pa.BinaryArray, pa.Int64Array]) -> list[dict[str, Any]]:
    analyser.open()
    rows = analyser.analyse(*encoded).to_pylist()
    analyser.close()
    return [
        {name: row[name] for name in ("stage", "toxicity", "toxic", "score_hate", "model_toxicity")} for row in rows
    ]


def test_fallbacks_in_a_circle(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told, not followed."""
    monkeypatch.setenv(ENDPOINT, service.url)
    options = {"toxicity": {"fallback": "perspective"}}
    with pytest.raises(EchoPulseError, match="in a circle: perspective → perspective"):
        Analyser({"toxicity": "perspective"}, options=options).open()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"atempts": "3"}, "'perspective' has no option 'atempts' (did you mean 'attempts'?)"),
        ({"attempts": "0"}, "option attempts of 'perspective' is '0'"),
        ({"timeout_s": "soon"}, "option timeout_s of 'perspective' is 'soon'"),
        ({"threshold": "2"}, "option threshold of 'perspective' is '2' (a number from 0 to 1)"),
    ],
)
def test_options_that_cannot_be(opened: Open, options: dict[str, str], told: str) -> None:
    """The error names strategy, option and value."""
    with pytest.raises(EchoPulseError) as raised:
        opened(**options)
    assert told in str(raised.value)


def test_no_endpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variable that is missing is named."""
    monkeypatch.delenv(ENDPOINT, raising=False)
    with pytest.raises(EchoPulseError, match=f"{ENDPOINT} is ''"):
        Perspective().open(Context(tmp_path))


def test_a_kind_that_cannot_say_what_scored(tmp_path: Path) -> None:
    """A fallback that nobody could see is refused."""

    class _Mute(RemoteStrategy):
        kind, name, type = "cluster", "mute", pa.string()

        def address(self) -> tuple[str, dict[str, str]]:
            return "http://127.0.0.1:9/", {}

        def body(self, text: str, language: str) -> object:
            return [text, language]

        def read(self, document: Any) -> dict[str, Any]:  # noqa: ANN401
            return {"": document}

    with pytest.raises(EchoPulseError, match="cannot say what scored"):
        _Mute().open(Context(tmp_path))
