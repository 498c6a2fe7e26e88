"""The spool against a list, with crashes at any byte."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from echopulse.gateway.spool import Position, Spool
from echopulse.gateway.spool_segment import HEAD_BYTES
from schemas.errors import EchoPulseError

_ROOM = 4_000


class SpoolAgainstList(RuleBasedStateMachine):
    """Append, read, acknowledge, drop, close, be killed; the list knows what must still be there."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.spool = Spool(Path(self.folder.name), _ROOM)
        self.waiting: list[bytes] = []
        self.in_flight: list[tuple[Position, bytes]] = []

    def teardown(self) -> None:
        """Let the folder go."""
        self.spool.close()
        self.folder.cleanup()

    @rule(payloads=st.lists(st.binary(max_size=200), max_size=5))
    def append(self, payloads: list[bytes]) -> None:
        """All or none: refused only where they do not fit."""
        size = sum(HEAD_BYTES + len(payload) for payload in payloads)
        fits = self.spool.size + size <= _ROOM
        assert self.spool.append(payloads) == fits
        if fits:
            self.waiting += payloads

    @rule(most=st.integers(1, 10), size=st.integers(0, 300))
    def read(self, most: int, size: int) -> None:
        """The oldest come first, at least one."""
        taken = self.spool.read(most, size)
        assert [record for _, record in taken] == self.waiting[: len(taken)]
        assert bool(taken) == bool(self.waiting)
        assert len(taken) <= most
        del self.waiting[: len(taken)]
        self.in_flight += taken

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        """What was delivered is let go."""
        count = data.draw(st.integers(1, len(self.in_flight)))
        self.spool.acknowledge(self.in_flight[count - 1][0])
        del self.in_flight[:count]

    @rule()
    def drop(self) -> None:
        """The count is that of the records that nobody had read."""
        dropped = self.spool.drop_oldest()
        del self.waiting[:dropped]
        first = min((p.stem for p in Path(self.folder.name).glob("*.segment")), default=None)
        oldest = int(first) if first else 2**63
        self.in_flight = [(at, record) for at, record in self.in_flight if at.segment >= oldest]

    @rule(torn=st.integers(0, 500))
    def killed(self, torn: int) -> None:
        """The newest file ends at any byte: whole records stay, the rest is cut and counted."""
        self.spool.close()
        expected = [record for _, record in self.in_flight] + self.waiting
        files = sorted(Path(self.folder.name).glob("*.segment"))
        if files and torn:
            size = files[-1].stat().st_size
            kept = max(0, size - torn)
            with files[-1].open("r+b") as file:
                file.truncate(kept)
            lost, left = 0, size
            while left > kept and lost < len(expected):
                lost += 1
                left -= HEAD_BYTES + len(expected[-lost])
            expected = expected[: len(expected) - lost]
        self.spool = Spool(Path(self.folder.name), _ROOM)
        self.in_flight, self.waiting = [], expected
        assert self.spool.unread == len(expected)


TestSpoolAgainstList = SpoolAgainstList.TestCase
TestSpoolAgainstList.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@given(st.binary(min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_a_torn_tail_is_cut_and_counted(tail: bytes) -> None:
    """Whatever bytes a crash left behind the last whole record."""
    with tempfile.TemporaryDirectory() as name:
        spool = Spool(Path(name), _ROOM)
        assert spool.append([b"one", b"two"])
        spool.close()
        path = next(Path(name).glob("*.segment"))
        with path.open("ab") as file:
            file.write(tail)
        again = Spool(Path(name), _ROOM)
        assert [record for _, record in again.read(9, 900)] == [b"one", b"two"]
        assert again.torn_bytes == len(tail)
        again.close()


def test_zeros_behind_a_crash_are_no_records(tmp_path: Path) -> None:
    """A record of no bytes has a CRC of its own."""
    spool = Spool(tmp_path, _ROOM)
    assert spool.append([b""])
    spool.close()
    with next(tmp_path.glob("*.segment")).open("ab") as file:
        file.write(bytes(64))
    again = Spool(tmp_path, _ROOM)
    assert (again.unread, again.torn_bytes) == (1, 64)
    again.close()


def test_a_broken_cursor_sends_everything_again(tmp_path: Path) -> None:
    """Repeats are dropped by id; a loss would stay."""
    spool = Spool(tmp_path, _ROOM)
    assert spool.append([b"one", b"two"])
    spool.acknowledge(spool.read(1, 1)[0][0])
    spool.close()
    (tmp_path / "cursor").write_bytes(b"x" * 20)
    again = Spool(tmp_path, _ROOM)
    assert [record for _, record in again.read(9, 900)] == [b"one", b"two"]
    again.close()


def test_one_process_holds_a_folder(tmp_path: Path) -> None:
    """A second gateway would send everything twice."""
    spool = Spool(tmp_path, _ROOM)
    with pytest.raises(EchoPulseError, match="is held by another process"):
        Spool(tmp_path, _ROOM)
    spool.close()
