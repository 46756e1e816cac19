"""Whose signal it is, where a resident is to be erased: his own, and never one that may be another's (domain 8.8).

In: a recent signal at a match key, the person as keyed hashes, and the trajectories known there. Out: yes or no.
"""

from collections.abc import Sequence

from signaalwissel.processors.matcher_state import KnownTrajectory
from signaalwissel.processors.periods import Days
from signaalwissel.processors.persons import persons_at
from signaalwissel.schemas.internal import ClientPseudonym, KeyedSignal, RecentSignal, ResidentCommand
from signaalwissel.schemas.routing import Candidate


def is_his(
    command: ResidentCommand, recent: RecentSignal, signal: KeyedSignal, known: Sequence[KnownTrajectory]
) -> bool:
    """Whether a recent signal is about the person whom ERASE_RESIDENT names.

    By BSN where the signal has one; otherwise by what somebody confirmed, or by birth date at the key's address. A
    signal by address alone is nobody's, and one by a birth date that two people there share is neither's.

    Args:
        command: Names the person.
        recent: The signal's last answer, with what was confirmed.
        signal: The signal.
        known: The trajectories at its match key.
    """
    person, said = command.person or ClientPseudonym(), signal.pseudonym
    if said.bsn is not None:
        return said.bsn == person.bsn
    if recent.confirmed is not None:
        return recent.confirmed == Candidate(command.trajectory_id or "", command.client or 0)
    if said.birth_date is None or said.birth_date != person.birth_date:
        return False
    return not _shared(person, signal, known)


def _shared(person: ClientPseudonym, signal: KeyedSignal, known: Sequence[KnownTrajectory]) -> bool:
    """Whether somebody else with this birth date lives at the address."""
    whole = [one.whole() for one in known]
    days = Days(signal.reference_date, signal.last_day)
    there = persons_at([one for one in whole if one is not None], signal.pseudonym.address, days)
    same = [one for one in there if signal.pseudonym.birth_date in one.birth_dates()]
    bsns = {m.client.identity.bsn for one in same for m in one.everywhere} - {None}
    # A client without BSN may be the person himself.
    return len(same) > 1 or (person.bsn is not None and bool(bsns) and person.bsn not in bsns)
