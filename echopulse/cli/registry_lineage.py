"""`echopulse registry lineage`: from an event back to the files that its models learnt from, and from a file on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from echopulse.cli.context import NO_OPTIONS, GlobalOptions
from echopulse.cli.output import emit

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def lineage(of: str, *, options: GlobalOptions = NO_OPTIONS) -> None:
    """Show where what was said of an event comes from, or which models a file of texts went into.

    Parameters
    ----------
    of
        The id of an event; a file; or the digest of one, sha256: and 64 hex digits.
    """
    from echopulse.registry.lineage import opened_lineage
    from transforms.artifact import file_digest

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
    lines += [
        f"{indent}learnt from {file['name']} {file['digest'][:19]}, {file['here'] or 'which is not here as it was'}"
        for file in model["files"]
    ]
    for stage in model.get("stages", []):
        lines += _of_model(stage, f"{indent}  ")
    return lines
