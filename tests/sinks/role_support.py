"""Logins of the roles of a database: on the test's own server, where nobody needs a password."""

from signaalwissel.sinks.database import open_engine
from signaalwissel.sinks.database_grants import grant_roles
from signaalwissel.sinks.database_roles import Role
from sqlalchemy import make_url, text


def let_in(owner_url: str) -> None:
    """Make the roles, grant them, and let each log in."""
    engine = open_engine(owner_url, name="test")
    grant_roles(engine)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(7223011)"))
        for role in Role:
            connection.execute(text(f"ALTER ROLE {role} LOGIN"))


def as_role(owner_url: str, role: Role) -> str:
    """The same database with the login of a role."""
    return make_url(owner_url).set(username=role.value).render_as_string(hide_password=False)
