"""Read features through Feast's SDK, with the project's store and with a plain one: REQUEST on stdin, values on stdout.

Arguments: the repository and a settings file without the plug-in. REQUEST is JSON: view to its join key, features and
entities. Run on its own because importing Feast costs seconds and its declarations read the environment.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from feast import FeatureStore


def values(store: FeatureStore, request: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return a row for each entity of each view: key, features, and event timestamp in ms since the epoch."""
    found: dict[str, list[dict[str, Any]]] = {}
    for view, wanted in request.items():
        key, features = wanted["key"], wanted["features"]
        answer = store.get_online_features(
            features=[f"{view}:{name}" for name in features], entity_rows=[{key: each} for each in wanted["entities"]]
        ).to_dict(include_event_timestamps=True)
        stamps = answer[f"{features[0]}__ts"]
        found[view] = [
            {name: answer[name][place] for name in (key, *features)} | {"event_timestamp": round(stamp * 1000)}
            for place, stamp in enumerate(stamps)
        ]
    return found


def main(repo: str, plain: str) -> None:
    """Answer the request twice."""
    request = json.load(sys.stdin)
    stores = {"plug-in": FeatureStore(repo), "plain": FeatureStore(repo, fs_yaml_file=Path(plain))}
    json.dump({name: values(store, request) for name, store in stores.items()}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
