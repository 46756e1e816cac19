"""Whether a task, as readers of `tasks` have it, is of somebody who was erased (after a restore that lacks the task).

In: the erasure ledger, the keys under which its ids were made, what is known of trajectories. Out: yes or no. Keys are
asked for when a task of their municipality comes: another municipality's, which may be gone, stop nobody.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from signaalwissel.processors.departure import ledger_ids
from signaalwissel.processors.followup_tasks import ENDED
from signaalwissel.processors.identifiers import signal_ref
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.subject_ledger import LedgerEntry, LedgerIds, LedgerKind
from signaalwissel.schemas.followup import TaskEvent

_TOLD_BY = frozenset({LedgerKind.SIGNAL, LedgerKind.CLIENT})

_CLIENTS = 2
"""A trajectory that nobody knows may have so many."""

CountClients = Callable[[str, str], int | None]
"""How many clients a municipality's trajectory has, the erased among them; None for one that nobody knows."""


class ErasedTasks:
    """Says of tasks whether they are of somebody who was erased.

    Args:
        entries: The whole ledger.
        keys: Give the keyed hash of a municipality.
        clients: What is known of a trajectory.

    Raises:
        KeyUnavailable: A key cannot be had now.
    """

    def __init__(self, entries: Iterable[LedgerEntry], keys: KeyProvider, clients: CountClients) -> None:
        self._gone: defaultdict[str, set[bytes]] = defaultdict(set)
        for entry in entries:
            if entry.kind in _TOLD_BY:
                self._gone[entry.municipality].add(entry.opaque)
        self._keys = keys
        self._clients = clients
        self._ids: dict[str, LedgerIds] = {}

    def __call__(self, event: TaskEvent) -> bool:
        """Whether every signal in it is of the erased; of a task without signals, whether every client is."""
        of = event.municipality
        if of not in self._gone:
            return False
        ids, gone = self._ids_of(of), self._gone[of]
        if event.signals:
            refs = [signal_ref(of, one.partner_id, one.signal_id, one.received_at) for one in event.signals]
            return all(ids.signal(ref) in gone for ref in refs)
        if event.trajectory_id is None:
            return False
        count = self._clients(of, event.trajectory_id)
        told = [ids.client(event.trajectory_id, client) in gone for client in range(count or _CLIENTS)]
        if count is None:
            # A second client who was not erased may never have been. What still runs may be his: it goes on.
            return all(told) or (told[0] and event.status in ENDED)
        return all(told)

    def _ids_of(self, municipality: str) -> LedgerIds:
        if municipality not in self._ids:
            self._ids[municipality] = ledger_ids(municipality, self._keys)
        return self._ids[municipality]
