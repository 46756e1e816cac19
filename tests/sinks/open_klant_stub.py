"""An Open Klant to test against: what it knows, and the fields, lengths and rules of klantinteracties 0.9.

`open_klant_server.py` serves it over HTTP.
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TOKEN = "geheim-token"
BASE = "/klantinteracties/api/v1"
HANDLED_AT = "2026-03-09T10:15:00.250000Z"

Json = dict[str, Any]


class Refusal(Exception):
    """A request that Open Klant answers with a problem."""

    def __init__(self, status: int, code: str, wrong: list[tuple[str, str]] | None = None) -> None:
        self.status = status
        self.body = {
            "type": "about:blank",
            "code": code,
            "title": code,
            "status": status,
            "detail": "",
            "invalidParams": [{"name": n, "code": c, "reason": "waarde geweigerd"} for n, c in wrong or []],
        }


@dataclass
class Fault:
    """What goes wrong with the next requests whose method and path begin with `where`.

    `kind`: status (answers `status`), late (waits before it answers), drop_before and drop_after (the connection ends
    before or after the work is done), drip (the answer comes byte by byte), nonsense (HTML with 200).
    """

    where: str
    kind: str
    times: int = 1
    status: int = 500
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


class OpenKlantStub:
    """What the server knows, and what is to go wrong."""

    def __init__(self) -> None:
        self.actors: dict[str, Json] = {}
        self.contacts: dict[str, Json] = {}
        self.objects: dict[str, Json] = {}
        self.tasks: dict[str, Json] = {}
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        self.token = TOKEN
        self.port = 0
        self.finished_late = 0
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE}"

    def fail(self, where: str, kind: str, **more: Any) -> None:
        with self.lock:
            self.faults.append(Fault(where, kind, **more))

    def heal(self) -> None:
        with self.lock:
            self.faults.clear()

    def finish(self, task: str) -> None:
        """A counsellor marks an internetaak as done."""
        with self.lock:
            self.tasks[task] |= {"status": "verwerkt", "afgehandeldOp": HANDLED_AT}

    def register_contact(self, before: str, *, reached: bool | None) -> str:
        """A counsellor registers a contact that follows on an earlier klantcontact; gives its uuid."""
        with self.lock:
            made = self._keep(self.contacts, {"indicatieContactGelukt": reached}, [])[1]
            link = {"klantcontact": {"uuid": made["uuid"]}, "wasKlantcontact": {"uuid": before}}
            self._keep(self.objects, link, [])
            return str(made["uuid"])

    def count(self, what: str) -> int:
        with self.lock:
            return sum(request.startswith(what) for request in self.requests)

    @property
    def only_task(self) -> Json:
        (task,) = self.tasks.values()
        return task

    def fault(self, request: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if request.startswith(fault.where) and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def handle(self, method: str, path: str, query: dict[str, str], body: Json) -> tuple[int, Json]:
        """Do what is asked, as one transaction."""
        with self.lock:
            collection, _, wanted = path.strip("/").partition("/")
            handlers: dict[tuple[str, str, bool], Callable[[], tuple[int, Json]]] = {
                ("GET", "actoren", False): lambda: self._list(self.actors, query, ACTOR_FILTERS),
                ("POST", "actoren", False): lambda: self._make_actor(body),
                ("POST", "maak-klantcontact", False): lambda: self._make_contact(body),
                ("GET", "onderwerpobjecten", False): lambda: self._list(self.objects, query, OBJECT_FILTERS),
                ("GET", "internetaken", False): lambda: self._list(self.tasks, query, TASK_FILTERS),
                ("POST", "internetaken", False): lambda: self._make_task(body),
                ("GET", "internetaken", True): lambda: (200, self._there(self.tasks, wanted)),
                ("GET", "klantcontacten", True): lambda: (200, self._there(self.contacts, wanted)),
                ("PATCH", "internetaken", True): lambda: self._change_task(wanted, body),
            }
            found = handlers.get((method, collection, bool(wanted)))
            if found is None:
                raise Refusal(405, "method_not_allowed")
            return found()

    def _there(self, kept: dict[str, Json], wanted: str) -> Json:
        if wanted not in kept:
            raise Refusal(404, "not_found")
        return kept[wanted]

    def _list(
        self, kept: dict[str, Json], query: dict[str, str], filters: dict[str, str]
    ) -> tuple[int, Json]:
        found = list(kept.values())
        for name, value in query.items():
            if name in {"page", "pageSize"}:
                continue
            if name not in filters:
                raise Refusal(400, "unknown-parameters", [(name, "unknown")])
            found = [item for item in found if _at(item, filters[name]) == value]
        return 200, {"count": len(found), "next": None, "previous": None, "results": found}

    def _make_actor(self, body: Json) -> tuple[int, Json]:
        wrong = _texts(body, {"naam": (True, 200)})
        if body.get("soortActor") not in {
            "medewerker",
            "geautomatiseerde_actor",
            "organisatorische_eenheid",
        }:
            wrong.append(("soortActor", "invalid_choice"))
        wrong += _identificator(body.get("actoridentificator"), "actoridentificator")
        return self._keep(self.actors, body, wrong)

    def _make_contact(self, body: Json) -> tuple[int, Json]:
        contact = body.get("klantcontact")
        if not isinstance(contact, dict):
            raise Refusal(400, "invalid", [("klantcontact", "required")])
        wrong = _texts(
            contact,
            {"kanaal": (True, 50), "onderwerp": (True, 200), "inhoud": (False, 1000), "taal": (True, 3)},
        )
        if not isinstance(contact.get("vertrouwelijk"), bool):
            wrong.append(("vertrouwelijk", "required"))
        wrong += _number(contact, self.contacts)
        about = body.get("onderwerpobject") or {}
        wrong += _identificator(about.get("onderwerpobjectidentificator"), "onderwerpobjectidentificator")
        wrong = [(f"klantcontact.{name}", code) for name, code in wrong]
        status, made = self._keep(self.contacts, contact, wrong)
        _, object_ = self._keep(self.objects, about | {"klantcontact": {"uuid": made["uuid"]}}, [])
        return status, {"klantcontact": made, "betrokkene": None, "onderwerpobject": object_}

    def _make_task(self, body: Json) -> tuple[int, Json]:
        wrong = _texts(body, {"gevraagdeHandeling": (True, 200), "toelichting": (False, 1000)})
        if (body.get("aanleidinggevendKlantcontact") or {}).get("uuid") not in self.contacts:
            wrong.append(("aanleidinggevendKlantcontact", "required"))
        wrong += _number(body, self.tasks) + self._task_fields(body, required=True)
        return self._keep(self.tasks, body | {"afgehandeldOp": None}, wrong)

    def _change_task(self, wanted: str, body: Json) -> tuple[int, Json]:
        task = self._there(self.tasks, wanted)
        wrong = _texts(body, {"gevraagdeHandeling": (False, 200), "toelichting": (False, 1000)})
        wrong += self._task_fields(body, required=False)
        if wrong:
            raise Refusal(400, "invalid", wrong)
        task |= body
        if task["status"] == "te_verwerken":
            task["afgehandeldOp"] = None
        elif task["afgehandeldOp"] is None:
            task["afgehandeldOp"] = HANDLED_AT
        return 200, task

    def _task_fields(self, body: Json, *, required: bool) -> list[tuple[str, str]]:
        wrong = []
        if (required or "status" in body) and body.get("status") not in {"te_verwerken", "verwerkt"}:
            wrong.append(("status", "invalid_choice"))
        actors = body.get("toegewezenAanActoren", [] if required else None)
        if actors is not None and (not actors or any(a.get("uuid") not in self.actors for a in actors)):
            wrong.append(("toegewezenAanActoren", "invalid"))
        return wrong

    def _keep(self, kept: dict[str, Json], body: Json, wrong: list[tuple[str, str]]) -> tuple[int, Json]:
        if wrong:
            raise Refusal(400, "invalid", wrong)
        made = {"uuid": str(uuid.uuid4()), **body}
        kept[made["uuid"]] = made
        return 201, made


ACTOR_FILTERS = {
    "actoridentificatorObjectId": "actoridentificator.objectId",
    "actoridentificatorCodeRegister": "actoridentificator.codeRegister",
}
OBJECT_FILTERS = {
    "onderwerpobjectidentificatorObjectId": "onderwerpobjectidentificator.objectId",
    "onderwerpobjectidentificatorCodeRegister": "onderwerpobjectidentificator.codeRegister",
    "wasKlantcontact__uuid": "wasKlantcontact.uuid",
}
TASK_FILTERS = {"aanleidinggevendKlantcontact__uuid": "aanleidinggevendKlantcontact.uuid"}


def _at(item: Json, place: str) -> Any:
    value: Any = item
    for name in place.split("."):
        value = (value or {}).get(name)
    return value


def _texts(body: Json, fields: dict[str, tuple[bool, int]]) -> list[tuple[str, str]]:
    wrong = []
    for name, (required, most) in fields.items():
        value = body.get(name)
        if value is None or value == "":
            if required:
                wrong.append((name, "required"))
        elif not isinstance(value, str) or len(value) > most:
            wrong.append((name, "max_length"))
    return wrong


def _identificator(found: Json | None, name: str) -> list[tuple[str, str]]:
    parts = {"objectId", "codeObjecttype", "codeRegister", "codeSoortObjectId"}
    if found is None or (set(found) == parts and all(0 < len(value) <= 200 for value in found.values())):
        return []
    return [(name, "invalid")]


def _number(body: Json, kept: dict[str, Json]) -> list[tuple[str, str]]:
    number = body.get("referentienummer")
    if number is None:
        return []
    if not (number.isdecimal() and len(number) <= 10):
        return [("referentienummer", "max_length")]
    if any(item.get("referentienummer") == number for item in kept.values()):
        return [("referentienummer", "unique")]
    return []
