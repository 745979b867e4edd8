"""Many rows in one statement: an array for each column, so that the statement's text is the same for any number.

written out as values, a thousand rows are thousands of parameters to compile, every time; and 32 767 is the limit.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, any_, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from plyr.db.base import Base


def given_rows(table: type[Base], names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Select[*tuple[Any, ...]]:
    """Return a query of some rows of a table's columns, for `insert(…).from_select(names, …)`; no arrays among them."""
    types = [table.__table__.c[name].type for name in names]
    arrays = [literal([row[name] for row in rows], ARRAY(kind)) for name, kind in zip(names, types, strict=True)]
    columns = [column(name, kind) for name, kind in zip(names, types, strict=True)]
    rows_given = func.unnest(*arrays).table_valued(*columns, name="given").render_derived()
    return select(*(rows_given.c[name] for name in names))


def is_among(attribute: "InstrumentedAttribute[Any]", values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of some values, as one parameter."""
    return attribute == any_(literal(list(values), ARRAY(attribute.type)))
