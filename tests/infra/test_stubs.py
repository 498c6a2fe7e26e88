"""Generated protobuf stubs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.stubs import generate

if TYPE_CHECKING:
    from pathlib import Path

PROTO = (
    'syntax = "proto3";\nimport "google/protobuf/timestamp.proto";\nmessage A { google.protobuf.Timestamp t = 1; }\n'
)


def test_stubs_lie_beside_their_proto(tmp_path: Path) -> None:
    """Each .proto gets a module and its types, and nothing else is left behind."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "a.proto").write_text(PROTO, encoding="utf-8")
    made = generate(tmp_path)
    assert [path.name for path in made] == ["a_pb2.py", "a_pb2.pyi"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.proto", "a_pb2.py", "a_pb2.pyi", "schemas"]


def test_what_is_the_same_is_not_written_again(tmp_path: Path) -> None:
    """A second run leaves the files, so nothing is rebuilt for them."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "a.proto").write_text(PROTO, encoding="utf-8")
    before = [path.stat().st_ino for path in generate(tmp_path)]
    assert [path.stat().st_ino for path in generate(tmp_path)] == before


def test_bad_proto_fails_the_build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Protoc's own message names file and line; no stub appears."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "a.proto").write_text('syntax = "proto3";\nmessage {', encoding="utf-8")
    with pytest.raises(SystemExit, match="protoc failed"):
        generate(tmp_path)
    assert "a.proto:2:9" in capfd.readouterr().err
    assert [path.name for path in tmp_path.rglob("*pb2*")] == []


def test_no_proto_is_a_mistake(tmp_path: Path) -> None:
    """An empty folder means that the wrong one was named."""
    with pytest.raises(SystemExit, match=r"no \.proto file"):
        generate(tmp_path)
