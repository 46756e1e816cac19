"""What is kept of the resident's rights, when it is over: requests, the erasure ledger, withdrawn objections.

Flows in: what is over. Flows out: none of it. An objection that stands is never over: it must be honoured for as long
as it stands.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from signaalwissel.processors.amsterdam import start_of_day
from signaalwissel.processors.processing_lines import resident
from signaalwissel.processors.pseudonyms import is_address_key
from signaalwissel.processors.retention import DataKind
from signaalwissel.sinks.copying import moment_of
from signaalwissel.sinks.destruction import Destruction
from signaalwissel.sinks.retention_scope import Scope, Step, tallied
from sqlalchemy import Connection, LargeBinary, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

_DAY = timedelta(days=1)
_TEXTS = bindparam("ids", type_=ARRAY(Text))
_REQUESTS = text(
    """
    SELECT request_id FROM subject_requests
    WHERE municipality = :municipality AND handled_at < :before ORDER BY handled_at, request_id LIMIT :most
    """
)
_REQUESTS_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE handled_at < :before), 0 FROM subject_requests
    WHERE municipality = :municipality
    """
)
_NO_REQUESTS = text("DELETE FROM subject_requests WHERE request_id = ANY(:ids)").bindparams(_TEXTS)
_ENTRIES = text(
    """
    SELECT erasure_id, kind, opaque FROM erasure_ledger
    WHERE municipality = :municipality AND erased_at < :before
    ORDER BY erased_at, erasure_id, kind, opaque LIMIT :most
    """
)
_ENTRIES_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE erased_at < :before), 0 FROM erasure_ledger
    WHERE municipality = :municipality
    """
)
_NO_ENTRIES = text(
    """
    DELETE FROM erasure_ledger USING unnest(:erasures, :kinds, :opaques) AS gone (erasure_id, kind, opaque)
    WHERE erasure_ledger.erasure_id = gone.erasure_id AND erasure_ledger.kind = gone.kind
        AND erasure_ledger.opaque = gone.opaque
    """
).bindparams(
    bindparam("erasures", type_=ARRAY(Text)),
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("opaques", type_=ARRAY(LargeBinary)),
)
_OBJECTIONS = text(
    """
    SELECT objection_id, match_keys FROM objections
    WHERE municipality = :municipality AND withdrawn_on <= :over AND withdrawn_at < :before
    ORDER BY withdrawn_on, objection_id LIMIT :most
    """
)
_OBJECTIONS_TALLY = text(
    """
    SELECT count(*), count(*) FILTER (WHERE withdrawn_on <= :over AND withdrawn_at < :before), 0 FROM objections
    WHERE municipality = :municipality
    """
)
_NO_OBJECTIONS = text("DELETE FROM objections WHERE objection_id = ANY(:ids)").bindparams(_TEXTS)


def _before(scope: Scope, kind: DataKind) -> dict[str, object]:
    return scope.about(kind, before=moment_of(start_of_day(scope.over(kind) + _DAY)))


def _destroy_requests(destruction: Destruction, _scope: Scope, chosen: Sequence[Any]) -> int:
    destruction.connection.execute(_NO_REQUESTS, {"ids": [row.request_id for row in chosen]})
    return len(chosen)


def _destroy_entries(destruction: Destruction, _scope: Scope, chosen: Sequence[Any]) -> int:
    gone = {
        "erasures": [row.erasure_id for row in chosen],
        "kinds": [row.kind for row in chosen],
        "opaques": [row.opaque for row in chosen],
    }
    destruction.connection.execute(_NO_ENTRIES, gone)
    return len(chosen)


def _destroy_objections(destruction: Destruction, scope: Scope, chosen: Sequence[Any]) -> int:
    destruction.connection.execute(_NO_OBJECTIONS, {"ids": [row.objection_id for row in chosen]})
    for row in chosen:
        own = (bytes(key) for key in row.match_keys if not is_address_key(bytes(key)))
        subjects = [resident(match_key) for match_key in own]
        destruction.of(scope.municipality, scope.today, f"objection/{row.objection_id}", subjects or [None])
    return len(chosen)


def _step(kind: DataKind, chosen: Any, destroy: Any, tally: Any) -> Step:
    def choose(connection: Connection, scope: Scope) -> Sequence[Any]:
        return connection.execute(chosen, _before(scope, kind)).all()

    return Step(
        kind, choose, destroy, lambda connection, scope: tallied(connection, tally, _before(scope, kind))
    )


REQUESTS = _step(DataKind.REQUEST, _REQUESTS, _destroy_requests, _REQUESTS_TALLY)
ERASURES = _step(DataKind.ERASURE, _ENTRIES, _destroy_entries, _ENTRIES_TALLY)
OBJECTIONS = _step(DataKind.OBJECTION, _OBJECTIONS, _destroy_objections, _OBJECTIONS_TALLY)
