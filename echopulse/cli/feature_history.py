"""`echopulse feature history`: a training set, each entity with the values that could be read at its instant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import counted, emit
from echopulse.cli.steps import redrawn_steps


def history(
    *,
    entities: Path,
    service: str,
    output: str,
    repo: Annotated[Path, Parameter(name="--repo")] = Path("features"),
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Join entities at instants with the values that could be read by then, through Feast.

    Parameters
    ----------
    entities
        A .parquet, .csv or .jsonl file with the service's join keys and event_timestamp; other columns are kept.
    service
        A feature service, as `echopulse feature apply` lists them.
    output
        A .parquet, .csv or .jsonl file, or s3://bucket/key on the lake's S3.
    repo
        Folder of the Feast repository.
    """
    from echopulse.job.environment import feast_variables
    from echopulse.job.frames import frame_bytes, read_frame
    from echopulse.job.outputs import check_output, write_outputs
    from features.lake.history import history as joined
    from features.machinery.store import open_store, variables

    check_output(output)
    settings = options.settings()
    with redrawn_steps() as on_step:
        on_step(f"reading {entities}")
        asked = read_frame(entities)
        on_step("opening the feature store")
        with variables(feast_variables(settings)):
            store = open_store(repo)
            on_step(f"joining {counted(len(asked), 'row')} with {service} over the lake")
            found = joined(store, service, asked)
        on_step(f"writing {output}")
        write_outputs(settings.lake, {output: frame_bytes(found, output)})
    features = [name for name in found.columns if name not in asked.columns]
    document = {
        "output": output,
        "service": service,
        "rows": len(found),
        "features": features,
        "without_any": int(found[features].isna().all(axis=1).sum()),
    }
    emit(
        document,
        options.json,
        lambda: (
            f"{output}: {counted(len(found), 'row')}, {counted(len(features), 'feature')}; "
            f"{document['without_any']:,} without any value"
        ),
    )
