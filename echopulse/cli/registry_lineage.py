"""`echopulse registry lineage`: from an event back to the files that its models learnt from, and from a file on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit
from schemas.errors import UsageError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: Files of data sets end so.
_DATA_SET = {".parquet", ".jsonl"}


def lineage(of: str, *, options: GlobalOptions = NO_OPTIONS) -> None:
    """Show where what was said of an event comes from, or which models a file of texts went into.

    Of an event: its models, how each became champion, its run, and the
    files that it learnt from. Of a file of a data set: the registered
    models that learnt from it, and the spans of event time they score.

    Parameters
    ----------
    of
        The id of an event; a file of a data set, such as DIR/sentiment.train.parquet; or the digest of one that is no
        longer here, sha256: and 64 hex digits.
    """
    from echopulse.registry.lineage import opened_lineage
    from transforms.artifact import file_digest

    _check(Path(of))
    settings = options.settings()
    with opened_lineage(settings) as known:
        if Path(of).is_file() or _DIGEST.fullmatch(of):
            digest = of if _DIGEST.fullmatch(of) else file_digest(Path(of))
            document = {"file": of, "digest": digest, "models": known.of_file(digest)}
            emit(document, options.json, lambda: "\n".join(_of_file(document)))
            return
        from echopulse.registry.results import results_of

        events = [known.of_result(result) for result in results_of(settings, of)]
    emit({"events": events}, options.json, lambda: "\n".join(line for event in events for line in _of_event(event)))


def _check(path: Path) -> None:
    """Raise UsageError where a file is meant and there is none: as the id of an event it would be looked for long."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "name one of its files")
    if path.suffix in _DATA_SET and not path.is_file():
        raise UsageError(f"no file {path}", "its digest is taken too: sha256: and 64 hex digits")


def _of_file(document: dict[str, Any]) -> list[str]:
    from echopulse.registry.report import moment

    lines = [f"{document['file']}: {document['digest']}"]
    for model in document["models"]:
        lines.append(f"  {model['task']}@{model['digest']} ({model['name']}), run {model['run'] or 'unknown'}")
        for span in model["scores"]:
            end = "" if span["to_ms"] is None else f" to {moment(span['to_ms'])}"
            lines.append(f"    scores events from {moment(span['from_ms'])}{end}")
    return lines if document["models"] else [*lines, "  no registered model learnt from it"]


def _of_event(event: dict[str, Any]) -> list[str]:
    from echopulse.registry.report import moment

    lines = [f"{event['event_id']} in {event['channel_id']}, {moment(event['ts_ms'])}"]
    for kind, model in event["models"].items():
        lines.append(f"  {kind}: {model['said_by']}")
        for link in model["chain"]:
            lines += _of_model(link, "    ")
    return lines


def _of_model(model: dict[str, Any], indent: str) -> list[str]:
    from echopulse.registry.report import moment

    lines = [f"{indent}model {model['name'] or 'unknown'}{'' if model['registered'] else ', not registered'}"]
    if (step := model["promotion"]) is None:
        lines.append(f"{indent}promotion: none: the timeline does not name it for this time")
    else:
        by = f" by {step['by']}" if step["by"] else ""
        judged = f"; passed {', '.join(step['passed'])}; signature {step['signature']}" if "passed" in step else ""
        late = ""
        if step["after_the_event"]:
            late = f"; written {moment(step['written_ms'])}, after the event: by the settings, or by a replay since"
        lines.append(
            f"{indent}promotion: {step['kind']} {step['number']}{by}, from {moment(step['from_ms'])}{judged}{late}"
        )
    if (run := model["run"]) is not None:
        commit = f", commit {run['commit'][:12]}" if run["commit"] else ""
        lines.append(f"{indent}run {run['id']} ({run['name']}), {moment(run['began_ms'])}{commit}")
    here = [file for file in model["files"] if file["here"]]
    lines += [f"{indent}learnt from {file['name']} {file['digest'][:19]}, {file['here']}" for file in here]
    if gone := [f"{file['name']} {file['digest'][:19]}" for file in model["files"] if not file["here"]]:
        lines.append(f"{indent}learnt from {_listed(gone)}, not here as {'it was' if len(gone) == 1 else 'they were'}")
    for stage in model.get("stages", []):
        lines += _of_model(stage, f"{indent}  ")
    return lines


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
