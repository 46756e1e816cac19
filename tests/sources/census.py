"""Counts the scenarios in generated lines. In: lines as a user gets them. Out: how often each scenario occurs.

Nothing here looks inside the generator: a scenario is recognised in the records, as a reader would.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from signaalwissel.sources.generated_clock import add_months, clock_change_after

Value = dict[str, Any]
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PERIOD = timedelta(days=35)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def local(text: str) -> datetime:
    return instant(text).astimezone(AMSTERDAM)


def known_address(subject: Value) -> tuple[str, int, str] | None:
    if subject["postcode"] is None or subject["house_number"] is None:
        return None
    addition = subject["house_number_addition"] or ""
    folded = "".join(sign for sign in addition.upper() if sign.isalnum())
    return subject["postcode"].replace(" ", "").upper(), subject["house_number"], folded


def census(lines: Iterable[Value]) -> Counter[str]:
    """Return the number of occurrences of every scenario; bad records are to be left out."""
    found: Counter[str] = Counter()
    signals = [line["value"] for line in lines if line["topic"] == "signals"]
    trajectories: dict[tuple[str, str], list[Value]] = defaultdict(list)
    for line in lines:
        if line["topic"] == "trajectories":
            event = line["value"]
            trajectories[event["municipality"], event["trajectory_id"]].append(event)
    for arrived in trajectories.values():
        found.update(_of_events(arrived))
    found.update(_of_trajectories(trajectories))
    found.update(_of_signals(signals))
    found.update(_of_both(signals, trajectories))
    return found


def _of_events(arrived: list[Value]) -> Iterator[str]:
    """Yield the scenarios of one trajectory, whose events are in the order of arrival."""
    once = {event["event_id"]: event for event in reversed(arrived)}
    events = sorted(once.values(), key=lambda event: event["sequence"])
    kinds = [event["kind"] for event in events]
    yield from _of_arrival(arrived, len(once))
    yield from {f"kind {kind}" for kind in kinds}
    yield from {f"exit {event['exit_reason']}" for event in events if event["exit_reason"]}
    yield from {f"service {event['service']}" for event in events if event["service"]}
    yield from {f"solution {event['solution']}" for event in events if event["solution"]}
    yield from _of_clients(events)
    yield from _of_fates(events, kinds)
    yield from _of_services(kinds)
    for earlier, later in pairwise(events):
        if later["occurred_on"] < earlier["occurred_on"]:
            yield "recorded later, occurred earlier"
    for event in events:
        yield from _of_recording(event)


def _of_arrival(arrived: list[Value], distinct: int) -> Iterator[str]:
    numbers = [event["sequence"] for event in arrived]
    if numbers != sorted(numbers):
        yield "event before its predecessor"
    if arrived[0]["kind"] != "APPLIED":
        yield "event before its application"
    if len(arrived) > distinct:
        by_id: dict[str, set[str]] = defaultdict(set)
        for event in arrived:
            by_id[event["event_id"]].add(event["recorded_at"])
        again = any(len(moments) > 1 for moments in by_id.values())
        yield "event twice, recorded at another moment" if again else "event twice"


def _of_recording(event: Value) -> Iterator[str]:
    recorded = local(event["recorded_at"])
    late = (recorded.date() - date.fromisoformat(event["occurred_on"])).days
    if late == 0:
        yield "recorded on the day"
    elif late > 35:
        yield "recorded more than 35 days late"
    elif late > 7:
        yield "recorded weeks late"
    if recorded.time().hour == 0 or (recorded.time().hour == 23 and recorded.time().minute > 55):
        yield "recorded around midnight"
    if recorded.date() == clock_change_after(recorded.date()) and recorded.hour < 5:
        yield "recorded while the clocks change"


def _of_clients(events: list[Value]) -> Iterator[str]:
    lists = [event for event in events if event["kind"] in {"APPLIED", "CLIENT_CHANGED"}]
    most = max(len(event["clients"]) for event in lists)
    yield "two clients" if most == 2 else "one client"
    clients = [client for event in lists for client in event["clients"]]
    if all(client["bsn"] is None for client in clients):
        yield "trajectory without BSN"
    if any(client["birth_date"] is None for client in clients):
        yield "client without birth date"
    for before, after in pairwise(lists):
        if len(after["clients"]) < len(before["clients"]):
            yield "client left out"
        elif len(after["clients"]) > len(before["clients"]):
            yield "client joined"
    firsts = [event["clients"][0] for event in lists]
    homes = [known_address(client) for client in firsts]
    if len(set(homes) - {None}) > 1:
        yield "moved back" if any(home == homes[0] != homes[1] for home in homes[2:]) else "moved"
    if None in homes:
        yield "address unknown"
    yield from (
        f"{name} mended" for name in ("bsn", "birth_date") if len({client[name] for client in firsts}) > 1
    )


def _of_fates(events: list[Value], kinds: list[str]) -> Iterator[str]:
    two = max(len(event["clients"]) for event in events) == 2
    exits = [event for event in events if event["kind"] == "EXITED"]
    if two and any(e["exit_reason"] == "DECEASED" and len(e["clients"]) == 1 for e in exits):
        yield "one of two deceased"
    if not exits and "REFUSED" not in kinds:
        yield "running"
    if len(exits) > 1 and "REOPENED" not in kinds:
        yield "exit replaced"
    if "REOPENED" in kinds:
        after = kinds[kinds.index("REOPENED") :]
        yield "reopened and exited" if "EXITED" in after else "reopened and running"
    if "WITHDRAWN_IN_ERROR" in kinds:
        again = "APPLIED" in kinds[kinds.index("WITHDRAWN_IN_ERROR") :]
        yield "withdrawn and applied again" if again else "withdrawn for good"
    if "OBJECTION_LODGED" in kinds:
        yield "objection withdrawn" if "OBJECTION_WITHDRAWN" in kinds else "objection stands"
    if not any(event["counsellor"] for event in events):
        yield "never a counsellor"


def _of_services(kinds: list[str]) -> Iterator[str]:
    for kind in ("AFTERCARE", "MONITORING"):
        if f"{kind}_STARTED" in kinds:
            yield f"{kind} closed" if f"{kind}_ENDED" in kinds else f"{kind} open"
    opened, closed = kinds.count("SERVICE_OPENED"), kinds.count("SERVICE_CLOSED")
    if opened:
        yield "service open" if opened > closed else "service closed"
    if opened > 1:
        yield "service opened again"


def _of_trajectories(trajectories: dict[tuple[str, str], list[Value]]) -> Iterator[str]:
    """Yield scenarios across trajectories: same numbers and persons, crowded addresses, neighbours."""
    municipalities: dict[str, set[str]] = defaultdict(set)
    cases: dict[str, set[tuple[str, str]]] = defaultdict(set)
    homes: dict[tuple[str, tuple[str, int, str]], dict[str, Value]] = defaultdict(dict)
    for key, events in trajectories.items():
        municipalities[key[1]].add(key[0])
        for client in (client for event in events for client in event["clients"]):
            home = known_address(client)
            if client["bsn"]:
                cases[client["bsn"]].add(key)
            if client["bsn"] and home:
                homes[key[0], home][client["bsn"]] = client
    yield from ("same number in two municipalities" for owners in municipalities.values() if len(owners) > 1)
    for keys in cases.values():
        owners = [owner for owner, _ in keys]
        if len(set(owners)) > 1:
            yield "same BSN in two municipalities"
        if len(set(owners)) < len(owners):
            yield "returning client"
    for clients in homes.values():
        yield from _of_address(list(clients.values()))


def _of_address(clients: list[Value]) -> Iterator[str]:
    """Yield the scenarios of an address with these clients, each once."""
    born = [client["birth_date"] for client in clients if client["birth_date"]]
    if len(clients) > 8:
        yield "more than eight clients on one address"
    if len(set(born)) < len(born):
        yield "same birth date on one address"
    if len(clients) > 1:
        yield "several clients on one address"


def _of_signals(signals: list[Value]) -> Iterator[str]:
    deliveries: dict[tuple[str, str, str], list[Value]] = defaultdict(list)
    partners: dict[tuple[str, str], set[str]] = defaultdict(set)
    by_debt: dict[tuple[str, str, str], list[Value]] = defaultdict(list)
    for signal in signals:
        number, code, partner = signal["signal_id"], signal["municipality"], signal["partner"]["partner_id"]
        deliveries[code, partner, number].append(signal)
        partners[code, number].add(partner)
        if signal["arrears_since"]:
            by_debt[partner, str(signal["subject"]), signal["arrears_since"]].append(signal)
        yield from _of_signal(signal)
    yield from ("same number of two partners" for owners in partners.values() if len(owners) > 1)
    for sent in deliveries.values():
        yield from (_of_resend(first, again) for first, again in pairwise(sent))
    for reports in by_debt.values():
        for first, again in pairwise(reports):
            if first["signal_id"] != again["signal_id"]:
                higher = float(again["arrears"]) > float(first["arrears"])
                yield "repeated report, higher" if higher else "repeated report"


def _of_signal(signal: Value) -> Iterator[str]:
    yield f"partner {signal['partner']['kind']}"
    for name in ("crisis", "warm_transfer", "collection_effort_attested"):
        if signal[name]:
            yield name
    received = local(signal["received_at"])
    if signal["signalled_on"] is None:
        yield "sent on an unknown day"
    elif (received.date() - date.fromisoformat(signal["signalled_on"])).days == 0:
        yield "sent on the day of receipt"
    if received.hour == 0 or (received.hour == 23 and received.minute > 55):
        yield "received around midnight"
    if instant(signal["received_at"]).date() != received.date():
        yield "received on another day in UTC"
    subject = signal["subject"]
    if subject["surname"]:
        yield "signal with surname"
        if subject["surname"].isascii() is False:
            yield "surname with diacritics"
    if subject["postcode"] and (" " in subject["postcode"] or not subject["postcode"].isupper()):
        yield "postcode spelled differently"


def _of_resend(first: Value, again: Value) -> str:
    gap = instant(again["received_at"]) - instant(first["received_at"])
    same = {**first, "received_at": ""} == {**again, "received_at": ""}
    if gap > PERIOD:
        return "sent again, beyond the period"
    if not same:
        return "sent again, changed"
    return "sent again, at the period's edge" if gap > PERIOD - timedelta(hours=2) else "sent again, the same"


def _of_both(signals: list[Value], trajectories: dict[tuple[str, str], list[Value]]) -> Iterator[str]:
    """Yield how signals by BSN lie to exits of the same person, and how many an address has in a month."""
    exits: dict[tuple[str, str], list[tuple[date, date]]] = defaultdict(list)
    for (code, _), events in trajectories.items():
        people = {client["bsn"] for event in events for client in event["clients"] if client["bsn"]}
        completed = [
            (date.fromisoformat(event["occurred_on"]), local(event["recorded_at"]).date())
            for event in events
            if event["exit_reason"] == "COMPLETED"
        ]
        for bsn in people:
            exits[code, bsn] += completed
    addresses: Counter[tuple[str, object, str]] = Counter()
    for signal in signals:
        addresses[signal["municipality"], known_address(signal["subject"]), signal["received_at"][:7]] += 1
        for exit_days in exits[signal["municipality"], signal["subject"]["bsn"] or ""]:
            yield from _of_exit(signal, *exit_days)
    for (_, address, _), count in addresses.items():
        if address:
            yield "single on an address" if count == 1 else "several on an address in a month"


def _of_exit(signal: Value, exited: date, recorded: date) -> Iterator[str]:
    """Yield how a signal lies to an exit: to the six months after it, and to the day of recording."""
    last_day = local(signal["received_at"]).date()
    reference = date.fromisoformat(signal["signalled_on"]) if signal["signalled_on"] else last_day
    beyond = (reference - add_months(exited, 6)).days
    if abs(beyond) <= 1:
        yield ("a day before the window's end", "on the window's end", "a day after the window's end")[
            beyond + 1
        ]
    if beyond == 0 and add_months(exited, 6).day < exited.day:
        yield "on a clamped window's end"
    if exited <= last_day < recorded - PERIOD:
        yield "exit recorded beyond the signal's horizon"
    elif exited <= last_day < recorded:
        yield "exit recorded after the signal"
    if reference <= exited <= last_day:
        yield "exit on one of the signal's days"
