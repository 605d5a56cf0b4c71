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


TOLD = ("messages", "requests", "doubles", "refused", "kills", "working", "failed", "redriven", "lost")


def told_lines(properties: Iterable[Sequence[tuple[str, object]]]) -> Iterator[str]:
    """A row for each test that kills workers, and below it what else it tells; nothing if none ran.

    `refused` are the requests that the webhook answered with 503, `working` the kills in the middle of work,
    `failed` the calls to AWS that were made to fail, `redriven` what an operator moved out of dead letters.
    """
    rows = [
        value for report in properties for name, value in report if name == "told" and isinstance(value, dict)
    ]
    if not rows:
        return
    yield ""
    yield f"{'told':40}" + "".join(f"{column:>10}" for column in TOLD)
    for row in rows:
        yield f"{row['operation']:40}" + "".join(f"{row[column]:>10}" for column in TOLD)
        yield from (f"  {name}: {value}" for name, value in row.items() if name not in {"operation", *TOLD})
