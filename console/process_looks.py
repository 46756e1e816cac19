"""What the running processes say of themselves over HTTP: ready or not and why, and how large their tables are.

In: their addresses. Out: a look at each. One that does not answer is told so: a page about operations must come up when
something is wrong.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
from signaalwissel.console.health import FIRST_SINK
from signaalwissel.console.settings import Settings

_BOUND_S = 2.0
_BYTES_MAX = 4_194_304
_SAMPLE = re.compile(
    r"^signaalwissel_(state_entries|state_disk_bytes|in_recovery|recovered_records_total)(?:\{[^}]*\})? (\S+)$",
    re.MULTILINE,
)


class Look(NamedTuple):
    """One process.

    Attributes:
        name: intake, matcher or sink, or its address.
        answers: Whether it answered at all.
        ready: Whether it does its full work.
        reasons: Why it is not ready, in its own words.
        entries: Entries of its tables; None where it does not say.
        disk_bytes: What they take on disk; None where it does not say.
        recovering: Whether its tables are being restored; None where it does not say.
        recovered: Records of changelogs that it read to restore them; None where it does not say.
    """

    name: str
    answers: bool
    ready: bool
    reasons: tuple[str, ...] = ()
    entries: int | None = None
    disk_bytes: int | None = None
    recovering: bool | None = None
    recovered: int | None = None


def looks(settings: Settings) -> list[Look]:
    """A look at each process that there is an address of; none where neither addresses nor a health port are set."""
    places = list(_places(settings))
    if not places:
        return []
    client = httpx.Client(
        timeout=_BOUND_S,
        trust_env=False,
        follow_redirects=False,
    )
    with ThreadPoolExecutor(len(places)) as pool, client:
        return list(pool.map(lambda place: _look(client, *place), places))


def _places(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.health_addresses:
        for address in settings.health_addresses.split(","):
            yield address.strip(), address.strip().rstrip("/")
    elif settings.health_port is not None:
        for number, name in enumerate(("intake", "matcher", "sink")):
            port = settings.health_port + (FIRST_SINK if name == "sink" else number)
            yield name, f"http://{settings.health_host}:{port}"


def _look(client: httpx.Client, name: str, address: str) -> Look:
    try:
        ready = client.get(f"{address}/readyz")
        told = ready.json()
        metrics = client.get(f"{address}/metrics")
    except (httpx.HTTPError, ValueError):
        return Look(name, answers=False, ready=False)
    reasons = tuple(str(one) for one in told.get("reasons", ())) if isinstance(told, dict) else ()
    sums = _sums(metrics.text[:_BYTES_MAX]) if metrics.is_success else {}
    recovering = sums.get("in_recovery")
    return Look(
        name,
        answers=True,
        ready=ready.is_success,
        reasons=reasons,
        entries=_whole(sums.get("state_entries")),
        disk_bytes=_whole(sums.get("state_disk_bytes")),
        recovering=None if recovering is None else bool(recovering),
        recovered=_whole(sums.get("recovered_records_total")),
    )


def _sums(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, number in _SAMPLE.findall(text):
        try:
            found[name] = found.get(name, 0.0) + float(number)
        except ValueError:
            continue
    return found


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
