"""The fault tests' totals, for the end of a test run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

COLUMNS = ("injected", "success", "refused", "crashed", "accepted", "lost", "doubles")


def fault_lines(properties: Iterable[Sequence[tuple[str, object]]]) -> Iterator[str]:
    """A table with a row for each operation and the totals; nothing if no fault test ran."""
    rows: dict[str, dict[str, int]] = {}
    for report in properties:
        for name, value in report:
            if name == "faults" and isinstance(value, dict):
                row = rows.setdefault(value["operation"], dict.fromkeys(COLUMNS, 0))
                for column in COLUMNS:
                    row[column] += value[column]
    if not rows:
        return
    rows["total"] = {column: sum(row[column] for row in rows.values()) for column in COLUMNS}
    yield ""
    yield f"{'faults':40}" + "".join(f"{column:>10}" for column in COLUMNS)
    for operation, row in rows.items():
        yield f"{operation:40}" + "".join(f"{row[column]:>10}" for column in COLUMNS)
