"""A report as text, in tables ready for a page of the documentation."""

from collections.abc import Iterable, Sequence

from tests.bench.history import HistoryReport
from tests.bench.measuring import Report, Row
from tests.bench.throughput import CLIENTS, Served

REQUESTS = (
    "request", "p50 ms", "p95 ms", "SQL", "SQL ms", "bytes", "gzip", "floor ms", "× floor",
)  # fmt: skip
SERVED = (
    f"{CLIENTS} clients", "pages/s", "p50 ms", "p99 ms", "CPU ms a page", "floor pages/s",
    "client CPU",
)  # fmt: skip
COMPARED = ("request", "p50 ms", "p50 ms", "ratio", "SQL ms", "SQL ms", "ratio of the floors")
MOST = 1.2  # how much longer a page may take on the larger tables
CSV = "users, CSV"


def text(report: Report) -> str:
    """Return the tables of a run, and a few lines on the export and the memory."""
    parts = [
        f"{report.users:,} users, {report.posts:,} posts, {report.database}",
        aligned(REQUESTS, map(cells, report.rows)),
        aligned(SERVED, map(served_cells, report.served)) if report.served else "",
        "\n".join([*exported(report), memory(report)]),
    ]
    return "\n\n".join(filter(None, parts))


def memory(report: Report) -> str:
    moments = ", ".join(f"{value:.0f} {moment}" for moment, value in report.memory.items())
    return f"memory of the worker, MiB: {moments}"


def exported(report: Report) -> list[str]:
    """Return the line on the file, with the rows a second in that of the admin and the floor."""
    return [
        f"CSV: {report.users / row.p50 * 1000:,.0f} rows/s; "
        f"the floor: {report.users / row.floor * 1000:,.0f} rows/s"
        for row in report.rows
        if row.request == CSV
    ]


def comparison(first: Report, second: Report) -> str:
    """Return how much longer each page takes in the second run, beside the floor's own change."""
    others = {row.request: row for row in second.rows if row.request != CSV}
    pairs = [(row, others[row.request]) for row in first.rows if row.request in others]
    slower = [row.request for row, other in pairs if other.p50 / row.p50 > MOST]
    verdict = f"{len(pairs) - len(slower)} of {len(pairs)} pages take at most {MOST} times as long"
    return "\n\n".join(
        [
            f"{first.users:,} users against {second.users:,}",
            aligned(COMPARED, (compared_cells(*pair) for pair in pairs)),
            f"{verdict}; not: {'; '.join(slower)}" if slower else verdict,
        ]
    )


def history_text(report: HistoryReport) -> str:
    """Return what the history costs, in two lines."""
    plain, recorded = report.save_plain_ms, report.save_recorded_ms
    return (
        f"a save: {recorded:.1f} ms recorded, {plain:.1f} ms without a history\n"
        f"{report.rows:,} rows updated at once: {report.bulk_recorded_s:.1f} s recorded, "
        f"{report.bulk_plain_s:.1f} s without; undone in {report.undo_s:.1f} s, "
        f"with {report.undo_mib:.0f} MiB more memory"
    )


def aligned(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown that reads well as it is, numbers to the right."""
    lines = [headings, *rows]
    first, *others = (max(map(len, column)) for column in zip(*lines, strict=True))
    rule = [":" + "-" * (first - 1), *("-" * (width - 1) + ":" for width in others)]
    filled = [[line[0].ljust(first), *map(str.rjust, line[1:], others)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in [filled[0], rule, *filled[1:]])


def cells(row: Row) -> tuple[str, ...]:
    return (
        row.request,
        f"{row.p50:,.1f}",
        f"{row.p95:,.1f}",
        f"{row.statements}",
        f"{row.database:,.1f}",
        f"{row.size:,}",
        f"{row.sent:,}",
        f"{row.floor:,.2f}",
        f"{row.ratio:,.1f}",
    )


def served_cells(served: Served) -> tuple[str, ...]:
    return (
        served.request,
        f"{served.per_second:,.0f}",
        f"{served.p50:,.1f}",
        f"{served.p99:,.1f}",
        f"{served.cpu:,.2f}",
        f"{served.floor:,.0f}",
        f"{served.client:.0%}",
    )


def compared_cells(first: Row, second: Row) -> tuple[str, ...]:
    return (
        first.request,
        f"{first.p50:,.1f}",
        f"{second.p50:,.1f}",
        f"{second.p50 / first.p50:.2f}",
        f"{first.database:,.1f}",
        f"{second.database:,.1f}",
        f"{second.floor / first.floor:.2f}",
    )
