"""Logins of the roles of a database: on the test's own server, where nobody needs a password."""

from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.database_grants import grant_roles, let_log_in
from signaalwissel.sinks.database_grants import url_of as as_role

__all__ = ["as_role", "let_in"]


def let_in(owner_url: str) -> None:
    """Make the roles, grant them, and let each log in."""
    engine = open_engine(owner_url, name="test")
    grant_roles(engine)
    let_log_in(engine)
