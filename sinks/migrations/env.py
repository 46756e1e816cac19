"""Alembic's entry: runs the migrations on the connection that `signaalwissel.sinks.database` hands over."""

from alembic import context
from signaalwissel.sinks.every_table import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # One that makes an index while others write commits what came before it: each is then done or not done.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
