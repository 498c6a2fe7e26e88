"""No file of the project names a package registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.registry_hosts import HOSTS, findings, tracked

if TYPE_CHECKING:
    from pathlib import Path


def test_no_file_names_a_registry() -> None:
    """All files that git tracks or would track are clean."""
    files = tracked()
    assert {"uv.lock", "Makefile", "Dockerfile"} <= {file.name for file in files}
    assert list(findings(files)) == []


def test_a_host_is_found_with_its_line(tmp_path: Path) -> None:
    """Any host, in any kind of file, is told with file and line; a file that is gone is passed over."""
    for host in HOSTS:
        file = tmp_path / "some.lock"
        file.write_bytes(b"\x00\xff\nurl = https://files." + host + b"/a\n")
        assert list(findings([file, tmp_path / "gone"])) == [f"{file}:2: {host.decode()}"]
