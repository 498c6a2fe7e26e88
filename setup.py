"""The build, as far as pyproject.toml cannot say it: generated protobuf stubs, and the version of a release."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from infra.stubs import generate  # noqa: E402 the builder does not put the project's folder on the path


class BuildWithStubs(build_py):  # type: ignore[misc] # setuptools ships no types
    """Generate the stubs in the source tree first: an editable install reads them there, a wheel copies them."""

    def run(self) -> None:
        """Generate, then build as usual."""
        generate(ROOT)
        super().run()


# `make build TAG=v1.2.0` sets BUILD_VERSION; it is not named ECHOPULSE_*, since those are settings.
setup(version=os.environ.get("BUILD_VERSION", "0.1.0"), cmdclass={"build_py": BuildWithStubs})
