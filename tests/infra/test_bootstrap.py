"""infra/bootstrap where something is missing, and what it takes over from pip."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("infra/bootstrap", "infra/index_settings.bash", "infra/uv.txt")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the script and a bin/ that holds the few programs it needs, no Python among them."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    for program in ("bash", "dirname", "env", "mktemp", "rm", "grep", "touch"):
        found = shutil.which(program)
        assert found
        (tmp_path / "bin" / program).symlink_to(found)
    return tmp_path


def _program(project: Path, name: str, body: str) -> None:
    file = project / "bin" / name
    file.write_text(f"#!{shutil.which('bash')}\n{body}\n", encoding="utf-8")
    file.chmod(0o755)


def _bootstrap(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(project / "bin" / "bash"), "infra/bootstrap"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": str(project / "bin"), "HOME": str(project), **environment},
    )


def test_no_python_is_one_line(project: Path) -> None:
    """Without Python 3.11 one line says what to install, and how to name it."""
    done = _bootstrap(project)
    assert done.returncode == 1
    assert done.stderr.startswith("bootstrap: Python 3.11 was not found")
    assert done.stderr.count("\n") == 1


def test_another_python_does_not_count(project: Path) -> None:
    """A python3 of another version, or a pyenv shim that fails, is passed over."""
    _program(project, "python3", "exit 1")
    _program(project, "python3.11", "echo 'pyenv: python3.11: command not found' >&2; exit 127")
    done = _bootstrap(project)
    assert done.returncode == 1
    assert done.stderr.startswith("bootstrap: Python 3.11 was not found")
    assert done.stderr.count("\n") == 1


def test_pyenvs_versions_are_found(project: Path) -> None:
    """A Python of pyenv that is not switched on is taken; this one cannot make environments, which is told."""
    pyenv = project / ".pyenv" / "versions" / "3.11.9" / "bin"
    pyenv.mkdir(parents=True)
    _program(project, "fake", '[[ "$*" == *version_info* ]]')
    shutil.move(project / "bin" / "fake", pyenv / "python3.11")
    done = _bootstrap(project)
    assert done.returncode == 1
    assert done.stderr == (
        f"bootstrap: {pyenv / 'python3.11'} cannot make environments; on Debian: apt-get install python3.11-venv\n"
    )


CONFIGURED = """\
:env:.index-url='https://one.example/simple'
global.cert='/etc/ca.pem'
global.extra-index-url='https://two.example/simple'"""


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "https://one.example/simple https://two.example/simple /etc/ca.pem"),
        ({"UV_DEFAULT_INDEX": "https://uv.example/simple"}, "https://uv.example/simple - -"),
    ],
)
def test_uv_follows_pips_indexes(project: Path, environment: dict[str, str], told: str) -> None:
    """Index, second index and certificates of pip's settings reach uv, unless uv has its own."""
    _program(project, "python", f"printf '%s\\n' \"{CONFIGURED}\"")
    script = (
        "set -euo pipefail; source infra/index_settings.bash; follow_pip python; "
        'echo "${UV_DEFAULT_INDEX:--} ${UV_INDEX:--} ${SSL_CERT_FILE:--}"'
    )
    done = subprocess.run(
        [str(project / "bin" / "bash"), "-c", script],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={"PATH": str(project / "bin"), "HOME": str(project), **environment},
    )
    assert done.stdout.strip() == told
