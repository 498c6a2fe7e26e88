"""Shadow by whoever is challenger."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from schemas.errors import EchoPulseError
from transforms import challenger
from transforms.analysis import Analyser
from transforms.artifact import MANIFEST, SHIPPED, file_digest
from transforms.challenger import read_challenger, write_challenger
from transforms.timeline_file import artifact_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

    Encode = Callable[..., tuple[pa.BinaryArray, pa.Int64Array]]


@pytest.fixture(autouse=True)
def _looked_at_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenger, "_READ_EVERY_S", 0.0)


def text(words: str, **more: str) -> dict[str, Any]:
    """What an event of a text differs in from the plain one."""
    return {"metadata": [("text", words), *more.items()]}


def another(folder: Path) -> str:
    """Put an artifact whose sentiment is not the default's into the folder; return its digest."""
    model = folder / "another"
    shutil.copytree(SHIPPED / "default", model)
    document = json.loads((model / MANIFEST).read_bytes())
    document["tasks"]["sentiment"]["slope"] *= -1
    (model / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
    digest = file_digest(model / MANIFEST)
    model.rename(artifact_folder(folder, digest))
    return digest


def test_who_is_challenger_scores(tmp_path: Path, encode: Encode) -> None:
    """Nobody scores while there is none; then it does, from the next batch on, and until it is none any more."""
    digest = another(tmp_path)
    options = {"sentiment/challenger": {"timeline": str(tmp_path)}}
    analyser = Analyser({}, options=options, shadow={"sentiment": ["challenger"]})
    analyser.open()
    batch = encode(text("what a lovely day"), text("vier", language="de"))
    assert analyser.analysis(*batch).shadow.num_rows == 0
    write_challenger(tmp_path, "sentiment", digest)
    said = analyser.analysis(*batch).shadow.to_pylist()
    assert [(one["strategy"], one["model"]) for one in said] == [
        ("challenger", digest),
        ("challenger", "abstained:de"),
    ]
    assert (said[0]["active_label"], said[0]["label"]) == ("positive", "neutral")
    assert all(one["microseconds"] > 0 and one["active_microseconds"] > 0 for one in said)
    write_challenger(tmp_path, "sentiment", "")
    assert analyser.analysis(*batch).shadow.num_rows == 0


def test_one_that_cannot_be_opened_harms_no_event(tmp_path: Path, encode: Encode) -> None:
    """Each text that it was to score tells why; a later one that can be opened scores."""
    analyser = Analyser(
        {}, options={"sentiment/challenger": {"timeline": str(tmp_path)}}, shadow={"sentiment": ["challenger"]}
    )
    analyser.open()
    (tmp_path / "challenger").mkdir()
    (tmp_path / "challenger" / "sentiment.json").write_text("{", encoding="utf-8")
    analysis = analyser.analysis(*encode(text("what a lovely day")))
    assert analysis.rows.column("sentiment").to_pylist() == ["positive"]
    (one,) = analysis.shadow.to_pylist()
    assert one["model"].startswith("failed: sentiment by 'challenger': EchoPulseError: ")
    assert "names no challenger" in one["model"]
    digest = another(tmp_path)
    write_challenger(tmp_path, "sentiment", digest)
    (one,) = analyser.analysis(*encode(text("what a lovely day"))).shadow.to_pylist()
    assert one["model"] == digest


def test_a_folder_is_wanted() -> None:
    """Without one nobody can be challenger."""
    with pytest.raises(EchoPulseError) as error:
        Analyser({}, shadow={"toxicity": ["challenger"]}).open()
    assert str(error.value) == (
        "challenger of toxicity: no folder is named "
        "(strategy_options.toxicity.timeline is that of `echopulse registry follow`)"
    )


def test_the_file(tmp_path: Path) -> None:
    """Written and read; taken away once and again."""
    assert read_challenger(tmp_path, "hate") == ""
    write_challenger(tmp_path, "hate", "sha256:1")
    assert read_challenger(tmp_path, "hate") == "sha256:1"
    for _ in range(2):
        write_challenger(tmp_path, "hate", "")
        assert read_challenger(tmp_path, "hate") == ""


def test_stance_in_shadow(tmp_path: Path, encode: Encode) -> None:
    """Toward all targets of the challenger, or those that the option names for both."""
    digest = another(tmp_path)
    write_challenger(tmp_path, "stance", digest)
    batch = encode(text("climate change is real and we must act now"))
    for targets, wanted in (({}, 5), ({"targets": "climate, atheism"}, 2)):
        options = {"stance": targets, "stance/challenger": {"timeline": str(tmp_path)}}
        analyser = Analyser({}, options=options, shadow={"stance": ["challenger"]})
        analyser.open()
        (one,) = analyser.analysis(*batch).shadow.to_pylist()
        assert (one["kind"], one["strategy"], one["model"]) == ("stance", "challenger", digest)
        assert one["label"] == one["active_label"]
        assert len(one["label"].split()) == wanted
        assert "climate=" in one["label"]


def test_a_stance_that_the_challenger_lacks(tmp_path: Path, encode: Encode) -> None:
    """Each text tells; one that cannot be opened does, too, and harms no event."""
    write_challenger(tmp_path, "stance", another(tmp_path))
    options = {"stance/challenger": {"timeline": str(tmp_path), "targets": "climat"}}
    analyser = Analyser({}, options=options, shadow={"stance": ["challenger"]})
    analyser.open()
    (one,) = analyser.analysis(*encode(text("what a lovely day"))).shadow.to_pylist()
    assert one["model"].endswith("model 'default' knows no stance toward 'climat' (did you mean 'climate'?)")
    (tmp_path / "challenger" / "stance.json").write_text("{", encoding="utf-8")
    analyser = Analyser({}, options=options, shadow={"stance": ["challenger"]})
    analyser.open()
    analysis = analyser.analysis(*encode(text("what a lovely day")))
    assert analysis.rows.column("stage").to_pylist() == [""]
    (one,) = analysis.shadow.to_pylist()
    assert "names no challenger" in one["model"]
