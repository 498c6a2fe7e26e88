"""`echopulse feature export`: the rows that a model is trained on, and what they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import counted, emit


def export(
    *,
    model: str,
    output: str,
    data: Annotated[Path | None, Parameter(show_default=False)] = None,
    as_trained: bool = False,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Write the rows that a model would be trained on today, or those it was trained on, and a manifest beside them.

    The same rows and declaration have the same version, and give the same bytes.

    Parameters
    ----------
    model
        A model's name or folder, NAME@sha256:PREFIX, or TASK@sha256:PREFIX.
    output
        A Parquet file, or s3://bucket/key on the lake's S3; the manifest's name is this with .manifest.json.
    data
        Folder of labelled files, default: the settings' training_data.
    as_trained
        Only if every file is the one that the model was trained on.
    """
    import hashlib

    import orjson

    from echopulse.job.lake import opened
    from echopulse.job.outputs import check_output, write_outputs
    from echopulse.training.model_reference import referenced
    from echopulse.training.training_set import training_set
    from features.lake.erasure import erased_data
    from features.lake.versions import parquet_bytes
    from transforms.artifact import read_manifest

    check_output(output)
    settings = options.settings()
    manifest, digest = read_manifest(referenced(model))
    folder = data or settings.training_data

    def erased() -> dict[str, str]:
        return {old: each.begun for old, each in erased_data(opened(settings.lake)).items()}

    found = training_set(manifest, folder, as_trained=as_trained, erased=erased)
    content = parquet_bytes(found.rows)
    document = {
        "version": found.version,
        "rows": found.rows.num_rows,
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "model": {"name": manifest.name, "digest": digest, "kind": manifest.kind},
        "declaration": found.declaration,
        "heads": found.heads,
        "files": found.files,
        "views": {},
        "query": {"split": "train", "tasks": found.declaration["tasks"], "as_trained": as_trained},
    }
    pretty = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    place = f"{output}.manifest.json"
    write_outputs(settings.lake, {output: content, place: orjson.dumps(document, option=pretty)})
    emit(
        {"output": output, "manifest": place, **document},
        options.json,
        lambda: f"{output}: {counted(found.rows.num_rows, 'row')}, version {found.version}",
    )
