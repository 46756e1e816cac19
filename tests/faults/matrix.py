"""The rows of the matrix that a run knows, by number; row 18 (two versions side by side) is no fault of a run."""

from tests.faults import (
    rows_database,
    rows_late,
    rows_letters,
    rows_network,
    rows_processes,
    rows_records,
    rows_services,
    rows_state,
)
from tests.faults.run import Row

_MODULES = (
    rows_database,
    rows_late,
    rows_letters,
    rows_network,
    rows_processes,
    rows_records,
    rows_services,
    rows_state,
)
ROWS: dict[int, Row] = {
    row.number: row
    for row in sorted((row for module in _MODULES for row in module.ROWS), key=lambda row: row.number)
}
