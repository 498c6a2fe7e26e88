"""Generate the protobuf stubs: every schemas/*.proto becomes a `_pb2.py` and a `_pb2.pyi` beside it.

One that declares a service becomes a `_pb2_grpc.py` as well.

`setup.py` does it whenever the project is built or installed (also in editable mode); `make proto` does it by hand.
"""

from __future__ import annotations

import re
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from grpc_tools import protoc

_SERVICE = re.compile(r"^service ", re.MULTILINE)


def generate(root: Path) -> list[Path]:
    """Write the stubs of root/schemas and return their paths.

    They are made in a temporary folder and moved in where they differ, so that a process that imports them meanwhile
    never reads half a file. Raises SystemExit with protoc's own messages on stderr for a bad .proto.
    """
    protos = sorted(path.relative_to(root) for path in (root / "schemas").glob("*.proto"))
    if not protos:
        raise SystemExit(f"{root / 'schemas'}: no .proto file to generate stubs from")
    with as_file(files("grpc_tools") / "_proto") as well_known, tempfile.TemporaryDirectory(dir=root) as out:
        arguments = [f"-I{root}", f"-I{well_known}", f"--python_out={out}", f"--pyi_out={out}"]
        served = [path for path in protos if _SERVICE.search((root / path).read_text(encoding="utf-8"))]
        for more, paths in (([], protos), ([f"--grpc_python_out={out}"], served)):
            code = protoc.main(["protoc", *arguments, *more, *(str(root / path) for path in paths)]) if paths else 0
            if code:
                raise SystemExit(f"protoc failed with code {code} on {', '.join(map(str, paths))}")
        return [_place(stub, root / stub.relative_to(out)) for stub in sorted(Path(out).rglob("*_pb2*.py*"))]


def _place(made: Path, target: Path) -> Path:
    if not target.is_file() or target.read_bytes() != made.read_bytes():
        made.replace(target)
    return target


if __name__ == "__main__":
    for path in generate(Path(__file__).resolve().parent.parent):
        sys.stdout.write(f"{path.name}\n")
