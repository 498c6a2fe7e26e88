"""Bins for approximate percentiles: each holds values that differ by at most two hundredths, in Flink SQL.

The bins of DDSketch (Masson, Rim and Lee, VLDB 2019, https://arxiv.org/abs/1908.10693): a value x above 0 is in bin
ceil(log x / log g), where g = (1 + a) / (1 - a), and stands for 2 * g ** bin / (g + 1), which is off by a * x at most.
Bins are numbered from a least magnitude up, negative values have negative numbers, and 0 is the bin of all that is
smaller. Counts of bins add up, so that panes keep them.
"""

from __future__ import annotations

import math

#: A percentile is off by this share of its value at most, and by LEAST where it is closer to 0 than that.
ERROR = 0.01
LEAST = 1e-9

_STEP = math.log((1 + ERROR) / (1 - ERROR))
#: The bin that holds LEAST is number 1.
_OFFSET = 1 - math.ceil(math.log(LEAST) / _STEP)
#: log of what the bin numbered 0 without the offset stands for, 2 / (g + 1).
_MIDDLE = math.log(1 - ERROR)


def bin_of(value: str) -> str:
    """Write the number of the bin of a DOUBLE; null for null."""
    number = f"(CAST(CEIL(LN(ABS({value})) / {_STEP!r}e0) AS BIGINT) + {_OFFSET})"
    return (
        f"CASE WHEN ABS({value}) < {LEAST!r} THEN CAST(0 AS BIGINT) WHEN {value} > 0 THEN {number} "
        f"WHEN {value} < 0 THEN -{number} END"
    )


def value_of(number: str, *, whole: bool) -> str:
    """Write what the values of a bin are taken to be; the nearest integer where they are `whole` ones.

    An integer below 50 is then exact.
    """
    size = f"EXP((ABS({number}) - {_OFFSET}) * {_STEP!r}e0 + ({_MIDDLE!r}e0))"
    value = f"CASE WHEN {number} = 0 THEN 0e0 ELSE SIGN({number}) * {size} END"
    return f"ROUND({value}, 0)" if whole else value
