"""The PostgreSQL side: tables, writer, outbox and migrations."""
