"""Makes moto's queries cost what they find, as those of DynamoDB do.

moto sorts a whole table for each query and then looks for the partition. With a few hundred open sockets that
alone takes most of the processor time of a relay on a laptop.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

_MARK = "by_partition"


class _Partition:
    """A table of moto's, as if it had one partition only."""

    def __init__(self, table: Any, hash_key: Any) -> None:  # noqa: ANN401 - moto has no types
        self._table = table
        self._hash_key = hash_key

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the table has
        return getattr(self._table, name)

    def all_items(self) -> list[Any]:
        """What the query chooses from; it sorts by itself."""
        found = self._table.items.get(self._hash_key)
        if found is None:
            return []
        return list(found.values()) if self._table.range_key_attr else [found]


@contextmanager
def queries_by_partition() -> Iterator[None]:
    """While it lasts, moto's queries of tables look at one partition; those of indexes are as they were."""
    from moto.dynamodb.models import table as tables

    kind: Any = tables.Table
    whole = kind.query
    if hasattr(whole, _MARK):  # by another relay of this process
        yield
        return
    parameters = signature(whole)

    def query(table: Any, *asked: Any, **named: Any) -> Any:  # noqa: ANN401 - moto has no types
        bound = parameters.bind(table, *asked, **named).arguments
        seen = table if bound.get("index_name") else _Partition(table, bound["hash_key"])
        return whole(seen, *asked, **named)

    setattr(query, _MARK, True)
    kind.query = query
    try:
        yield
    finally:
        kind.query = whole
