"""A report as text."""

from tests.bench.history import HistoryReport
from tests.bench.measuring import Report, Row

HEADINGS = (
    "request", "p50 ms", "p95 ms", "SQL", "SQL ms", "bytes", "gzip", "floor ms", "× floor",
)  # fmt: skip


def text(report: Report) -> str:
    """Return an aligned table of the requests, and a few lines on the export and the memory."""
    lines = [HEADINGS, *map(cells, report.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    ]
    ours, floor = report.exported
    memory = ", ".join(f"{value:.0f} {moment}" for moment, value in report.memory.items())
    return "\n".join(
        [
            f"{report.users:,} users, {report.posts:,} posts, PostgreSQL {report.postgresql}",
            "",
            *table,
            "",
            f"CSV: {ours:,.0f} rows/s; the floor, COPY: {floor:,.0f} rows/s",
            f"memory of the worker, MiB: {memory}",
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


def cells(row: Row) -> tuple[str, ...]:
    return (
        row.request,
        f"{row.p50:,.1f}",
        f"{row.p95:,.1f}",
        f"{row.statements}",
        f"{row.database:,.1f}",
        f"{row.size:,}",
        f"{row.gzipped:,}",
        f"{row.floor:,.2f}",
        f"{row.ratio:,.1f}",
    )
