"""One resident out of a trajectory at intake: his facts, his sealed identity and his match keys (design 2, 7).

In: a trajectory as intake keeps it and the command to erase a client. Out: what is left of it, the match keys at which
it is gone, and for each of his keys the command that erases his signals: it goes out before the trajectory does, so
nobody is told whither the signals of an erased resident would go.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from signaalwissel.processors.clients import LISTING, ClientIdentity, fold_clients
from signaalwissel.processors.emissions import RESIDENT_EVENTS, Emission
from signaalwissel.processors.erased_clients import erased_positions, without_erased
from signaalwissel.processors.naming import Roster
from signaalwissel.processors.sealing import KeyProvider, seal, unseal
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.fact_codec import trajectory_body, write_keyed_trajectory
from signaalwissel.schemas.internal import (
    ClientPseudonym,
    Fact,
    IntakeCommand,
    IntakeTrajectory,
    KeyedTrajectory,
    ResidentCommand,
    ResidentCommandKind,
    SealedIdentity,
)
from signaalwissel.schemas.signal import Subject
from signaalwissel.schemas.trajectory import SealedClients, TrajectoryEventKind

Nonce = Callable[[], bytes]


class Left(NamedTuple):
    """What an erased client leaves.

    Attributes:
        trajectory: The trajectory of the other client; None where nobody is left.
        commands: To the matcher, under each key of the erased: erase his signals.
        gone_keys: Match keys that were his alone.
    """

    trajectory: IntakeTrajectory | None
    commands: tuple[Emission, ...]
    gone_keys: tuple[bytes, ...]


def without_client(stored: IntakeTrajectory, command: IntakeCommand, keys: KeyProvider, nonce: Nonce) -> Left:
    """Erase one client.

    Args:
        stored: The trajectory.
        command: Says which client, by position; he was not erased before.
        keys: Open and seal identities, and make match keys.
        nonce: Gives 12 fresh random bytes.

    Raises:
        KeyUnavailable: A key cannot be had: nothing may go on.
        SealBroken: An identity does not open.
    """
    marked = _marked(stored, command)
    erased = erased_positions(marked.facts)
    listed = {item.event_id: open_clients(stored, item, keys) for item in stored.identities}
    his = _match_keys(stored, ((i, c) for i, c in _positions(listed.values()) if i == command.client), keys)
    kept = _match_keys(stored, ((i, c) for i, c in _positions(listed.values()) if i not in erased), keys)
    before = fold_clients(stored.facts)
    commands = tuple(_erase_signals(command, before, his))
    # The one who is left is told apart by position: a list of one is the list of a single client.
    if before and erased.issuperset(range(len(before))):
        return Left(None, commands, ())
    identities = tuple(
        SealedIdentity(event_id, seal_clients(stored, event_id, _without(clients, erased), keys, nonce))
        for event_id, clients in listed.items()
    )
    gone = tuple(key for key in stored.match_keys if key not in kept)
    left = marked._replace(
        caused_by_event_id=command.command_id,
        match_keys=tuple(key for key in stored.match_keys if key in kept),
        identities=identities,
    )
    return Left(left, commands, gone)


def gone_at(match_keys: Iterable[bytes], trajectory: IntakeTrajectory) -> list[Emission]:
    """The records that take a trajectory away from match keys, in the version that it is published in next."""
    empty = KeyedTrajectory(
        trajectory.municipality,
        trajectory.trajectory_id,
        trajectory.version + 1,
        erased=True,
        caused_by_event_id=trajectory.caused_by_event_id,
        facts=(),
    )
    record = write_keyed_trajectory(trajectory_body(empty))
    return [Emission(RESIDENT_EVENTS, match_key, record) for match_key in match_keys]


def seal_clients(
    trajectory: IntakeTrajectory, event_id: str, clients: tuple[Subject, ...], keys: KeyProvider, nonce: Nonce
) -> bytes:
    """The clients that an event lists, sealed under the municipality's identity key."""
    body = codec("SealedClients").encode_body(SealedClients(clients))
    return seal(body, keys.identity_key(trajectory.municipality), _belongs_to(trajectory, event_id), nonce())


def open_clients(
    trajectory: IntakeTrajectory, item: SealedIdentity, keys: KeyProvider
) -> tuple[Subject, ...]:
    """The clients that an event listed; raises SealBroken or KeyUnavailable."""
    body = unseal(item.sealed, _belongs_to(trajectory, item.event_id), keys.by_id)
    sealed: SealedClients = codec("SealedClients").decode_body(body)
    return sealed.clients


def _marked(stored: IntakeTrajectory, command: IntakeCommand) -> IntakeTrajectory:
    """The trajectory without what its facts say of the client, and with the fact that he was erased."""
    marker = Fact(
        event_id=command.command_id,
        sequence=max((fact.sequence for fact in stored.facts), default=0) + 1,
        occurred_on=command.occurred_on,
        recorded_at=command.issued_at,
        kind=TrajectoryEventKind.ERASED,
        client=command.client,
    )
    erased = erased_positions((*stored.facts, marker))
    named = Roster(stored.facts).named
    left = (without_erased(fact, erased, named) for fact in stored.facts)
    facts = (*(fact for fact in left if fact is not None), marker)
    # A record that waits is sealed whole: one that lists clients holds the erased one too.
    waits = {fact.event_id for fact in facts if fact.kind not in LISTING}
    return stored._replace(
        facts=facts, waiting=tuple(entry for entry in stored.waiting if entry.event_id in waits)
    )


def _erase_signals(
    command: IntakeCommand, clients: tuple[ClientIdentity, ...], match_keys: Iterable[bytes]
) -> Iterator[Emission]:
    position = command.client or 0
    if position >= len(clients):
        return
    identity = clients[position]
    said = ResidentCommand(
        command_id=command.command_id,
        kind=ResidentCommandKind.ERASE_RESIDENT,
        municipality=command.municipality,
        signal_ref=b"",
        trajectory_id=command.trajectory_id,
        client=position,
        issued_at=command.issued_at,
        # As the listings have him in the end: a BSN that was mended was somebody else's.
        person=ClientPseudonym(bsn=identity.bsn, birth_date=identity.birth_date),
    )
    value = codec("ResidentCommand").encode(said)
    for match_key in sorted(match_keys):
        yield Emission(RESIDENT_EVENTS, match_key, value)


def _positions(listings: Iterable[tuple[Subject, ...]]) -> Iterator[tuple[int, Subject]]:
    for clients in listings:
        yield from enumerate(clients)


def _match_keys(
    stored: IntakeTrajectory, clients: Iterable[tuple[int, Subject]], keys: KeyProvider
) -> set[bytes]:
    pseudonyms = keys.pseudonym_keys(stored.municipality)
    return {key for _, client in clients for key in pseudonyms.trajectory_match_keys(client)}


def _without(clients: tuple[Subject, ...], erased: frozenset[int]) -> tuple[Subject, ...]:
    return tuple(Subject() if position in erased else client for position, client in enumerate(clients))


def _belongs_to(trajectory: IntakeTrajectory, event_id: str) -> str:
    return f"IntakeTrajectory/{trajectory.municipality}/{trajectory.trajectory_id}/{event_id}"
