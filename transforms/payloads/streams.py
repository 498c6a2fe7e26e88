"""JSON payloads of a batch parsed as one stream of objects, and the columns at the paths of a plan."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from transforms.buffers import string_buffers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from transforms.payloads.declaration import Plan
    from transforms.payloads.paths import Path, Selector

#: Behind so many rows at fault the rest is left to be read row by row: each costs another start of the parser.
_MOST_FAULTS = 64
_FAULTY_ROW = re.compile(r"in row (\d+)$")


@dataclass
class _Node:
    """What a schema says of one name: a list or not, of objects with these children or of texts."""

    listed: bool = False
    children: dict[str, _Node] = field(default_factory=dict)

    def child(self, name: str) -> _Node:
        return self.children.setdefault(name, _Node())

    def type(self) -> pa.DataType:
        inner = pa.struct(self.fields()) if self.children else pa.string()
        return pa.list_(inner) if self.listed else inner

    def fields(self) -> list[pa.Field]:
        return [pa.field(name, child.type()) for name, child in self.children.items()]


@lru_cache(maxsize=1024)
def _options(plan: Plan) -> pa_json.ParseOptions:
    # Where one path finds a text and another an object, the object is in the schema: a text is then at fault.
    root = _Node()
    for path in (*plan.words, *plan.ids):
        node = root
        for step in path.steps:
            node = node.child(step.name)
            if step.selector is not None:
                node.listed = True
                if step.selector.name:
                    node.child(step.selector.name)
        for name, _ in path.choices:
            if name:
                node.child(name)
    # Without any column there would be no rows to count.
    fields = root.fields() or [pa.field("", pa.string())]
    return pa_json.ParseOptions(explicit_schema=pa.schema(fields), unexpected_field_behavior="ignore")


def parse_stream(
    payloads: pa.BinaryArray, slim: pa.BinaryArray, plan: Plan
) -> tuple[pa.StructArray | None, NDArray[np.bool_]]:
    """Parse what kernels.payloads.slim_objects leaves of whole payloads; return which are at fault, beside the others.

    The parser stops at a row at fault and is started again behind it. None where all rows are at fault.
    """
    options = _options(plan)
    faults = _invalid_utf8(payloads)
    rows = np.flatnonzero(~faults)
    sound = slim.filter(pa.array(~faults)) if len(rows) < len(slim) else slim
    start = found = 0
    while start < len(sound):
        parsed = _parse(sound[start:], options)
        if isinstance(parsed, pa.StructArray):
            if start == 0:
                return parsed, faults
            break
        faults[rows[start + parsed]] = True
        start += parsed + 1
        found += 1
        if found == _MOST_FAULTS:
            faults[rows[start:]] = True
            break
    if faults.all():
        return None, faults
    again = _parse(slim.filter(pa.array(~faults)), options)
    if isinstance(again, pa.StructArray):
        return again, faults
    return None, np.ones(len(payloads), np.bool_)


def _parse(payloads: pa.BinaryArray, options: pa_json.ParseOptions) -> pa.StructArray | int:
    """Return the rows' values, or the first row at fault.

    pyarrow 16.1 crashes on some columns of type null: the schema names every type, and what is not in it is ignored.
    """
    _, offsets = string_buffers(payloads)
    size = int(offsets[-1] - offsets[0])
    stream = pa.BufferReader(payloads.buffers()[2].slice(int(offsets[0]), size))
    try:
        table = pa_json.read_json(stream, pa_json.ReadOptions(use_threads=False, block_size=size + 1), options)
    except pa.ArrowInvalid as error:
        row = _FAULTY_ROW.search(str(error))
        return int(row[1]) if row else 0
    if table.num_rows != len(payloads):
        return 0
    return pa.StructArray.from_arrays([column.combine_chunks() for column in table.columns], table.column_names)


def _invalid_utf8(payloads: pa.BinaryArray) -> NDArray[np.bool_]:
    invalid = np.zeros(len(payloads), np.bool_)
    try:
        payloads.cast(pa.string())
    except pa.ArrowInvalid:
        # A loop over rows, where one of them is no UTF-8: Arrow does not say which.
        invalid[:] = [not _is_utf8(payload) for payload in payloads.to_pylist()]
    return invalid


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def column_at(objects: pa.StructArray, path: Path) -> pa.Array:
    """Return what stands at a path: a text or null a row, behind a list a list of texts a row."""
    nodes: pa.Array = objects
    parents: NDArray[np.int64] | None = None
    for step in path.steps:
        stepped = _child(nodes, step.name)
        if step.selector is None:
            nodes = stepped
            continue
        if not pa.types.is_list(stepped.type):
            nodes, parents = pa.nulls(0, pa.string()), np.zeros(0, np.int64)
            continue
        nodes, within = _items(stepped, step.selector)
        parents = within if parents is None else parents[within]
    values = pc.coalesce(*(_value(nodes, name, colons=colons) for name, colons in path.choices))
    if parents is None:
        return values
    there = pc.is_valid(values)
    counts = np.bincount(parents[there.to_numpy(zero_copy_only=False)], minlength=len(objects))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values.filter(there))


def _child(nodes: pa.Array, name: str) -> pa.Array:
    if not pa.types.is_struct(nodes.type) or nodes.type.get_field_index(name) < 0:
        return pa.nulls(len(nodes), pa.string())
    return pc.struct_field(nodes, [name])


def _value(nodes: pa.Array, name: str, *, colons: bool) -> pa.Array:
    value = _child(nodes, name) if name else nodes
    if not pa.types.is_string(value.type):
        return pa.nulls(len(nodes), pa.string())
    return pc.binary_join_element_wise(":", value, ":", "") if colons else value


def _items(lists: pa.ListArray, selector: Selector) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return the items of lists that are meant, and the place of each one's list."""
    items = lists.flatten()
    parents = pc.list_parent_indices(lists).to_numpy()
    if selector.name:
        meant = pc.fill_null(pc.equal(_value(items, selector.name, colons=False), selector.value), False)  # noqa: FBT003 - the value that stands for null
    elif selector.position >= 0:
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        firsts = np.repeat(np.cumsum(lengths) - lengths, lengths)
        meant = pa.array(np.arange(len(items)) - firsts == selector.position)
    else:
        return items, parents
    return items.filter(meant), parents[meant.to_numpy(zero_copy_only=False)]
