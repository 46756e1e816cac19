"""The rows of the matrix that a run knows, by number; row 18 (two versions side by side) is no fault of a run."""

from tests.faults import rows_processes, rows_records, rows_services, rows_state
from tests.faults.run import Row

ROWS: dict[int, Row] = {
    row.number: row
    for row in sorted(
        (*rows_processes.ROWS, *rows_services.ROWS, *rows_records.ROWS, *rows_state.ROWS),
        key=lambda row: row.number,
    )
}
