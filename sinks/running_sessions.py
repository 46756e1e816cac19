"""Sessions that run, as every process of the pages sees them (OWASP ASVS 7.5.2).

Flows in: digests of a session and its person, and when it was used. Flows out: those of somebody. Rows go when the
session is ended, and otherwise once no session can be so old.
"""

from collections.abc import Sequence

from signaalwissel.security.running_sessions import Running
from signaalwissel.sinks.ended_sessions import KEPT_S, ends_away
from signaalwissel.sinks.session_tables import running_sessions
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert

_R = running_sessions.c


class StoredSessions:
    """The list in the database.

    Args:
        engine: The database; its login must be able to read, write and delete `running_sessions`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def see(self, one: Running) -> None:
        """Put a session on the list, or say that it was used again; raises EndsAway."""
        put = insert(running_sessions).values(**one._asdict())
        put = put.on_conflict_do_update(
            index_elements=[_R.digest], set_={"seen_s": func.greatest(_R.seen_s, put.excluded.seen_s)}
        )
        with ends_away(), self._engine.begin() as connection:
            connection.execute(put)
            connection.execute(delete(running_sessions).where(_R.began_s < one.seen_s - KEPT_S))

    def of(self, person: bytes, *, began_after_s: int, seen_after_s: int) -> Sequence[Running]:
        """Those of somebody that are neither older nor longer at rest; raises EndsAway."""
        asked = (
            select(_R.digest, _R.person, _R.began_s, _R.seen_s)
            .where(_R.person == person, _R.began_s > began_after_s, _R.seen_s > seen_after_s)
            .order_by(_R.seen_s.desc(), _R.digest)
        )
        with ends_away(), self._engine.connect() as connection:
            return [Running(*row) for row in connection.execute(asked)]

    def forget(self, digest: bytes) -> None:
        """Take one off the list; raises EndsAway."""
        with ends_away(), self._engine.begin() as connection:
            connection.execute(delete(running_sessions).where(_R.digest == digest))
