"""What a Flink plan says of the job: how often each Python function is called in it."""

from __future__ import annotations

import re
from collections import Counter

_EXECUTION = "== Optimized Execution Plan =="
_SECTION = re.compile(r"^== .* ==$", re.MULTILINE)
_PYTHON_OPERATOR = re.compile(r"^[ +\-|:]*PythonCalc\(.*$", re.MULTILINE)
_CALL = re.compile(r"\b(analyse|write_\w+|crowd_\w+)\(")


def python_calls(plan: str) -> dict[str, int]:
    """Return, for each Python function, the number of operators that call it in the plan that Flink executes.

    Raises ValueError where the text holds no execution plan.
    """
    start = plan.find(_EXECUTION)
    if start < 0:
        message = f"no '{_EXECUTION}' in the plan"
        raise ValueError(message)
    rest = plan[start + len(_EXECUTION) :]
    following = _SECTION.search(rest)
    executed = rest[: following.start()] if following else rest
    return dict(Counter(name for line in _PYTHON_OPERATOR.findall(executed) for name in set(_CALL.findall(line))))
