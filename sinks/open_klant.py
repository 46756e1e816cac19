"""Open Klant klantinteracties as far as we use it: actors, klantcontacten and internetaken (standards 6).

Flows in: who answers for a task, and its texts. Flows out: the uuids under which Open Klant has them. Whatever is made
is looked up first, by an identificator of ours, so that a task that was handed over is never handed over again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.open_klant_texts import TaskTexts
from signaalwissel.processors.validation import is_plausible
from signaalwissel.sinks.copying import millis_of
from signaalwissel.sinks.open_klant_http import (
    Json,
    OpenKlantAway,
    OpenKlantGone,
    OpenKlantRefused,
    Requests,
)
from signaalwissel.sinks.open_klant_settings import OpenKlantSettings

REGISTER = "signaalwissel"
"""`codeRegister` of every identificator of ours."""
TO_DO = "te_verwerken"
DONE = "verwerkt"

_NUMBER = "referentienummer"
_NUMBERS_TRIED = 5
_NUMBER_FIRST = 1_000_000_000
_NUMBER_COUNT = 9_000_000_000
_NAME_MAX = 200
_CONTACTS_READ = 10
_TASK_OBJECT = {"codeObjecttype": "taak", "codeRegister": REGISTER, "codeSoortObjectId": "taak-id"}


class Doer(NamedTuple):
    """Who answers for a task: a counsellor, or nobody in person and the team. Both are numbered per municipality."""

    municipality: str
    counsellor_id: str | None
    team: str

    @property
    def object_id(self) -> str:
        """The identificator's value."""
        return f"{self.municipality}/{self.counsellor_id or self.team}"

    @property
    def kind(self) -> str:
        """The kind of actor."""
        return "organisatorische_eenheid" if self.counsellor_id is None else "medewerker"

    @property
    def identificator(self) -> dict[str, str]:
        """By what the actor is known; an actor of the municipality's own may carry it too."""
        what = "team" if self.counsellor_id is None else "behandelaar"
        return {
            "objectId": self.object_id,
            "codeObjecttype": self.kind,
            "codeRegister": REGISTER,
            "codeSoortObjectId": f"{what}-id",
        }


def doer_of(task: Task) -> Doer:
    """Who answers for a task."""
    return Doer(task.municipality, task.assignee, task.team)


class Made(NamedTuple):
    """Something in Open Klant; `fresh` where it was made just now, and not found."""

    uuid: UUID
    fresh: bool


@dataclass(frozen=True, slots=True)
class InternalTask:
    """An internetaak as it stands in Open Klant.

    Attributes:
        done: Somebody marked it as handled.
        handled_at: When, where Open Klant says so.
    """

    done: bool
    handled_at: datetime | None


class OpenKlant:
    """A client of one Open Klant.

    Raises:
        OpenKlantAway: From every method: it does not answer, or not as an Open Klant does.
        OpenKlantForbidden: From every method: it does not take the token.
        OpenKlantRefused: It does not take what was sent.
        OpenKlantGone: What is to be read or changed is not there.
    """

    def __init__(self, requests: Requests, settings: OpenKlantSettings) -> None:
        self._requests = requests
        self._channel = settings.channel
        self._actors: dict[Doer, UUID] = {}

    def check(self) -> None:
        """Return when it answers and takes the token."""
        _results(self._requests.get("internetaken", {"pageSize": "1"}), "GET internetaken")

    def forget_actors(self) -> None:
        """Look every actor up again: one may have been deleted."""
        self._actors.clear()

    def contact_of(self, task_id: str) -> UUID | None:
        """The klantcontact that is about a task."""
        query = {
            "onderwerpobjectidentificatorObjectId": task_id,
            "onderwerpobjectidentificatorCodeRegister": REGISTER,
        }
        wanted = {"objectId": task_id, **_TASK_OBJECT}
        where = "GET onderwerpobjecten"
        found = [
            _uuid(item["klantcontact"], where)
            for item in _results(self._requests.get("onderwerpobjecten", query), where)
            # A server that does not know the filter gives everything.
            if item.get("onderwerpobjectidentificator") == wanted and item.get("klantcontact")
        ]
        return min(found, default=None)

    def contact(self, task: Task, texts: TaskTexts) -> Made:
        """The klantcontact that is about a task, made where there is none."""

        def make(number: str) -> UUID:
            body = {
                "klantcontact": {
                    _NUMBER: number,
                    "kanaal": self._channel,
                    "onderwerp": texts.action,
                    "inhoud": texts.content,
                    "indicatieContactGelukt": None,
                    "taal": "nld",
                    "vertrouwelijk": True,
                },
                "onderwerpobject": {
                    "wasKlantcontact": None,
                    "onderwerpobjectidentificator": {"objectId": task.task_id, **_TASK_OBJECT},
                },
            }
            made = self._requests.post("maak-klantcontact", body)
            return _uuid(made.get("klantcontact"), "POST maak-klantcontact")

        return _found_or_made(lambda: self.contact_of(task.task_id), make, f"klantcontact {task.task_id}")

    def internal_task_of(self, contact: UUID) -> UUID | None:
        """The internetaak that a klantcontact led to."""
        where = "GET internetaken"
        answer = self._requests.get("internetaken", {"aanleidinggevendKlantcontact__uuid": str(contact)})
        found = [
            _uuid(item, where)
            for item in _results(answer, where)
            if _refers(item, "aanleidinggevendKlantcontact", contact)
        ]
        return min(found, default=None)

    def internal_task(self, contact: UUID, task: Task, texts: TaskTexts) -> Made:
        """The internetaak of a task, made where there is none."""

        def make(number: str) -> UUID:
            body = {
                _NUMBER: number,
                "aanleidinggevendKlantcontact": {"uuid": str(contact)},
                "status": TO_DO,
                **self._changing(task, texts),
            }
            return _uuid(self._requests.post("internetaken", body), "POST internetaken")

        return _found_or_made(lambda: self.internal_task_of(contact), make, f"internetaak {task.task_id}")

    def read(self, internal_task: UUID) -> InternalTask:
        """An internetaak as it is now."""
        found = self._requests.get(f"internetaken/{internal_task}")
        return InternalTask(found.get("status") == DONE, _moment(found.get("afgehandeldOp")))

    def reached(self, contact: UUID) -> bool | None:
        """Whether the resident was reached, as a klantcontact or those that followed on it say; None where none does.

        Who handles an internetaak registers his contact as a klantcontact of its own, with an onderwerpobject that
        names the one before it in `wasKlantcontact`.
        """
        chain = [contact]
        said = []
        for one in chain:
            try:
                said.append(self._requests.get(f"klantcontacten/{one}").get("indicatieContactGelukt"))
            except OpenKlantGone:
                # Deleted there: it tells nothing any more.
                continue
            following = (other for other in self._following(one) if other not in chain)
            chain += list(following)[: _CONTACTS_READ - len(chain)]
        if any(one is True for one in said):
            return True
        return False if any(one is False for one in said) else None

    def _following(self, contact: UUID) -> list[UUID]:
        where = "GET onderwerpobjecten"
        answer = self._requests.get("onderwerpobjecten", {"wasKlantcontact__uuid": str(contact)})
        return sorted(
            {
                _uuid(item["klantcontact"], where)
                for item in _results(answer, where)
                if _refers(item, "wasKlantcontact", contact) and item.get("klantcontact")
            }
        )

    def change(self, internal_task: UUID, task: Task, texts: TaskTexts, status: str | None) -> None:
        """Bring an internetaak up to the task's present version; `status` None leaves its status alone."""
        body = self._changing(task, texts)
        if status is not None:
            body["status"] = status
        self._requests.patch(f"internetaken/{internal_task}", body)

    def _changing(self, task: Task, texts: TaskTexts) -> Json:
        return {
            "gevraagdeHandeling": texts.action,
            "toelichting": texts.explanation,
            "toegewezenAanActoren": [{"uuid": str(self._actor(doer_of(task)))}],
        }

    def _actor(self, doer: Doer) -> UUID:
        if doer not in self._actors:
            self._actors[doer] = self._actor_there(doer) or self._actor_made(doer)
        return self._actors[doer]

    def _actor_there(self, doer: Doer) -> UUID | None:
        where = "GET actoren"
        query = {
            "actoridentificatorObjectId": doer.object_id,
            "actoridentificatorCodeRegister": REGISTER,
        }
        found = [
            _uuid(item, where)
            for item in _results(self._requests.get("actoren", query), where)
            if item.get("actoridentificator") == doer.identificator and item.get("indicatieActief", True)
        ]
        return min(found, default=None)

    def _actor_made(self, doer: Doer) -> UUID:
        body = {
            "naam": (doer.counsellor_id or doer.team)[:_NAME_MAX],
            "soortActor": doer.kind,
            "indicatieActief": True,
            "actoridentificator": doer.identificator,
        }
        return _uuid(self._requests.post("actoren", body), "POST actoren")


def _found_or_made(find: Callable[[], UUID | None], make: Callable[[str], UUID], what: str) -> Made:
    found = find()
    if found is not None:
        return Made(found, fresh=False)
    for attempt in range(_NUMBERS_TRIED):
        try:
            return Made(make(_number(what, attempt)), fresh=True)
        except OpenKlantRefused as refused:
            if _NUMBER not in refused.taken:
                raise
            # Our own request of before, given up as late, was carried out after all; or the number is a stranger's.
            found = find()
            if found is not None:
                return Made(found, fresh=False)
    raise OpenKlantAway(f"{what}: {_NUMBERS_TRIED} numbers of ours are all taken")


def _number(what: str, attempt: int) -> str:
    digest = hashlib.blake2b(f"{what} {attempt}".encode(), digest_size=8, person=b"open-klant").digest()
    return str(_NUMBER_FIRST + int.from_bytes(digest) % _NUMBER_COUNT)


def _results(answer: Json, where: str) -> list[Mapping[str, Any]]:
    found = answer.get("results")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise OpenKlantAway(f"{where}: the answer has no results; is OPEN_KLANT_URL that of the API?")
    return found


def _uuid(item: Any, where: str) -> UUID:
    # Parsed, as it becomes part of a path.
    try:
        return UUID(item["uuid"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise OpenKlantAway(f"{where}: the answer has no uuid; is OPEN_KLANT_URL that of the API?") from error


def _refers(item: Mapping[str, Any], name: str, wanted: UUID) -> bool:
    there = item.get(name)
    return isinstance(there, dict) and there.get("uuid") == str(wanted)


def _moment(text: object) -> datetime | None:
    """The instant; None where the text is none, or one that no task update may bear."""
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        at = None if at is None or at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at is not None and is_plausible(millis_of(at)) else None
