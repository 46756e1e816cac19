"""Sessions that were ended, as every process of the pages sees them (OWASP ASVS 7.4.1, 7.4.5).

Flows in: digests that were ended, and when. Flows out: the last end of any of some digests. A cookie is whole in itself,
so this is what makes a logout count in the other processes, and until the cookie's last hour.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from signaalwissel.security.sessions import LIFE_S, EndsAway
from signaalwissel.sinks.access import answering
from signaalwissel.sinks.session_tables import ended_sessions
from signaalwissel.sinks.settings import ServiceAway
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert

KEPT_S = 2 * LIFE_S
"""Longer than any session lives, clocks that differ included."""
_E = ended_sessions.c


class EndedSessions:
    """Ends of sessions in the database.

    Args:
        engine: The database; its login must be able to read, write and delete `ended_sessions`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def end(self, digest: bytes, at_s: int) -> None:
        """Remember that what began at `at_s` or before has ended; raises EndsAway."""
        put = insert(ended_sessions).values(digest=digest, ended_s=at_s)
        put = put.on_conflict_do_update(
            index_elements=[_E.digest], set_={"ended_s": func.greatest(_E.ended_s, put.excluded.ended_s)}
        )
        with ends_away(), self._engine.begin() as connection:
            connection.execute(put)
            connection.execute(delete(ended_sessions).where(_E.ended_s < at_s - KEPT_S))

    def latest_s(self, digests: Sequence[bytes]) -> int | None:
        """The last moment at which any of these was ended; raises EndsAway."""
        asked = select(func.max(_E.ended_s)).where(_E.digest.in_(digests))
        with ends_away(), self._engine.connect() as connection:
            found: int | None = connection.execute(asked).scalar_one()
        return found


@contextmanager
def ends_away() -> Iterator[None]:
    """Tell a database that is away (EndsAway) as those who ask about sessions know it."""
    try:
        with answering():
            yield
    except ServiceAway as away:
        raise EndsAway(str(away)) from away
