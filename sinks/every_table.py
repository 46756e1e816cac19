"""METADATA with every table of the database in it: importing a module of tables is what defines them."""

from signaalwissel.sinks import (
    accounting_tables,
    feedback_tables,
    open_klant_tables,
    retention_tables,
    session_tables,
    subject_tables,
    tables,
    web_tables,
)

MODULES = (
    accounting_tables,
    feedback_tables,
    open_klant_tables,
    retention_tables,
    session_tables,
    subject_tables,
    tables,
    web_tables,
)
METADATA = tables.METADATA
