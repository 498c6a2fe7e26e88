"""The small language of view tags: arithmetic and conditions over named columns, for SQL and for pandas alike.

    message_count - distinct_texts
    message_count / window_minutes
    kind not in ('join', 'delete') and toxicity >= 0.5

Names, numbers, strings, + - * /, comparisons, `in`, `and`, `or`, `not` and parentheses; nothing else. `/` always
divides exactly and gives null where the divisor is 0.
"""

from __future__ import annotations

import ast
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from schemas.errors import EchoPulseError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

ExpressionType = Literal["int64", "float64", "string", "bool"]

_ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("=", operator.eq),
    ast.NotEq: ("<>", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
}
_NUMBERS = ("int64", "float64")


@dataclass(frozen=True)
class Term:
    """A piece of SQL and the type of its value.

    `nonzero` where it can divide without a guard; `is_key` where it is an integer of 32 bits.
    """

    sql: str
    type: ExpressionType
    nonzero: bool = False
    is_key: bool = False


class ExpressionError(EchoPulseError):
    """An expression that cannot be read or does not type."""


def parse(text: str) -> ast.expr:
    """Read an expression. Raises ExpressionError naming the place where it goes wrong."""
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ExpressionError(f"cannot read the expression '{text}': {error}") from error


def to_sql(node: ast.expr, names: Mapping[str, Term]) -> Term:  # noqa: C901, PLR0911 one arm for each form of the language
    """Translate an expression to Flink SQL, `names` giving the SQL and type of each name it may use.

    Raises ExpressionError for an unknown name, an operator the language has not, or types that do not fit.
    """
    match node:
        case ast.Name(id=name):
            if name not in names:
                raise ExpressionError(f"unknown name '{name}'", did_you_mean(name, names))
            return names[name]
        case ast.Constant(value=value):
            return _constant(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            term = _expect(to_sql(operand, names), _NUMBERS, operand)
            return Term(f"(-{term.sql})", term.type)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Term(f"(NOT {_expect(to_sql(operand, names), ('bool',), operand).sql})", "bool")
        case ast.BoolOp(op=op, values=values):
            terms = [_expect(to_sql(value, names), ("bool",), value).sql for value in values]
            return Term(f"({(' AND ' if isinstance(op, ast.And) else ' OR ').join(terms)})", "bool")
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _arithmetic(node, _expect(to_sql(left, names), _NUMBERS, left), to_sql(right, names))
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as op], comparators=[ast.Tuple(elts=[_, *_] as items)]):
            return _membership(to_sql(left, names), op, items)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            one, other = to_sql(left, names), to_sql(right, names)
            if (one.type in _NUMBERS) != (other.type in _NUMBERS):
                raise ExpressionError(f"'{ast.unparse(node)}' compares {one.type} with {other.type}")
            return Term(f"({one.sql} {_COMPARISONS[type(op)][0]} {other.sql})", "bool")
        case _:
            raise ExpressionError(
                f"'{ast.unparse(node)}' is not part of the expression language",
                "names, numbers, strings, + - * /, one comparison at a time, in (...), and, or, not",
            )


def evaluate(  # noqa: C901, PLR0911 one arm for each form of the language
    node: ast.expr, names: Mapping[str, pd.Series[Any]]
) -> Any:  # noqa: ANN401 a column, or a number where no name occurs
    """Compute a well-typed expression (see `to_sql`) over pandas columns; the result aligns with them."""
    match node:
        case ast.Name(id=name):
            return names[name]
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ~evaluate(operand, names)
        case ast.UnaryOp(operand=operand):
            return -evaluate(operand, names)
        case ast.BoolOp(op=op, values=values):
            first, *rest = [evaluate(value, names) for value in values]
            for value in rest:
                first = first & value if isinstance(op, ast.And) else first | value
            return first
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            divisor = evaluate(right, names)
            zero_free = divisor.where(divisor != 0) if hasattr(divisor, "where") else divisor
            return evaluate(left, names) / zero_free
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)][1](evaluate(left, names), evaluate(right, names))
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as op], comparators=[ast.Tuple(elts=items)]):
            column = evaluate(left, names)
            inside = column.isin([evaluate(item, names) for item in items])
            if str(column.dtype).endswith("[pyarrow]"):
                # Of a null SQL does not know, and neither does Arrow in other comparisons; pandas says False.
                inside = inside.astype("bool[pyarrow]").mask(column.isna())
            return inside if isinstance(op, ast.In) else ~inside
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _COMPARISONS[type(op)][1](evaluate(left, names), evaluate(right, names))
        case _:
            raise ExpressionError(f"'{ast.unparse(node)}' is not part of the expression language")


def _constant(value: object) -> Term:
    """Write a literal; bool is refused because the language has no use for it."""
    match value:
        case bool() | None:
            raise ExpressionError(f"'{value}' is not part of the expression language")
        case int() if abs(value) < 2**63:
            return Term(f"CAST({value} AS BIGINT)", "int64", nonzero=value != 0)
        case float() if value - value == 0:
            return Term(f"CAST({value!r} AS DOUBLE)", "float64", nonzero=value != 0)
        case str():
            escaped = value.replace("'", "''")
            return Term(f"'{escaped}'", "string")
        case _:
            raise ExpressionError(f"the literal {value!r} is out of range or of a type the language has not")


def _expect(term: Term, types: tuple[str, ...], node: ast.expr) -> Term:
    if term.type not in types:
        raise ExpressionError(f"'{ast.unparse(node)}' is {term.type}, expected {' or '.join(types)}")
    return term


def _arithmetic(node: ast.BinOp, left: Term, right: Term) -> Term:
    _expect(right, _NUMBERS, node.right)
    if isinstance(node.op, ast.Div):
        if isinstance(node.right, ast.Constant) and node.right.value == 0:
            raise ExpressionError(f"'{ast.unparse(node)}' divides by zero")
        divisor = _double(right) if right.nonzero else f"NULLIF({_double(right)}, CAST(0 AS DOUBLE))"
        return Term(f"({_double(left)} / {divisor})", "float64")
    result: ExpressionType = "float64" if "float64" in (left.type, right.type) else "int64"
    return Term(f"({left.sql} {_ARITHMETIC[type(node.op)][0]} {right.sql})", result)


def _membership(term: Term, op: ast.cmpop, items: list[ast.expr]) -> Term:
    """Translate `in` and `not in` over a tuple of literals of one type."""
    literals = [_constant(item.value) if isinstance(item, ast.Constant) else None for item in items]
    if any(literal is None or literal.type != term.type for literal in literals):
        raise ExpressionError(f"`in` needs literals of type {term.type}, got ({', '.join(map(ast.unparse, items))})")
    listed = ", ".join(literal.sql for literal in literals if literal)
    return Term(f"({term.sql} {'IN' if isinstance(op, ast.In) else 'NOT IN'} ({listed}))", "bool")


def _double(term: Term) -> str:
    return term.sql if term.type == "float64" else f"CAST({term.sql} AS DOUBLE)"
