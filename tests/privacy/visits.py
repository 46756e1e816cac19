"""Who else comes to the installation of the canary run: programs over HTTP, people at the pages, files, requests of residents.

In: the town, at work. Out: what was answered, as hay, where it must hold no resident.
"""

import json
import re
from functools import partial
from pathlib import Path

import httpx
from signaalwissel.deploy.ports import free_ports
from signaalwissel.sinks.database import open_engine
from sqlalchemy import text

from tests.console.webpages.web_support import Visitor
from tests.privacy import people
from tests.privacy.detector import Hay
from tests.privacy.needles import subject_of
from tests.privacy.town import MUNICIPALITY, Town
from tests.security.provider import identity_provider

_COLUMNS = (
    "Gemeentecode;Signaalnummer;KvK-nummer;Soort signaal;BSN;Postcode;Huisnummer;Toevoeging;Geboortedatum;Voorletters;"
    "Achternaam;Telefoon;E-mail;Klantnummer;Bedrag;Ontstaansdatum;Signaaldatum;Ontvangen op;Crisissignaal;"
    "Warme overdracht;Sociale incasso"
)


def over_http(town: Town) -> None:
    """Gateway and pages, each at DEBUG, with residents in bodies, addresses and headers."""
    town.run("access", "grant-reader")
    ports = free_ports(2)
    gateway, pages = (f"http://127.0.0.1:{port}" for port in ports)
    with identity_provider(pages, town.papers, partners=["waterbedrijf"]) as provider:
        given = {f"SIGNAALWISSEL_{name}": value for name, value in provider.settings().items()}
        for stage, port in zip(("gateway", "web"), ports, strict=True):
            town.start(stage, **given, **{f"SIGNAALWISSEL_{stage.upper()}_PORT": str(port)})
        for stage in ("gateway", "web"):
            town.product.wait_until(partial(_listens, town, stage), f"{stage} listens")
        _send(town, gateway, provider.token)
        _look(town, pages)
        town.watch()


def _listens(town: Town, stage: str) -> bool:
    return "listens on" in town.told(stage)


def _send(town: Town, gateway: str, token: str) -> None:
    person = people.PEOPLE["gateway"]
    number, name, phone = (people.value_of(person, field) for field in ("bsn", "surname", "phone"))
    good = people.told("gateway", "S-gateway", partner={"partner_id": "waterbedrijf", "kind": "WATER"})[
        "value"
    ]
    applied = people.applied("gateway")["value"]
    bad = {**good, "signal_id": "S-bad", "arrears": number, "subject": {**subject_of(person), name: number}}
    answers: list[httpx.Response] = []
    with httpx.Client(base_url=gateway, timeout=60) as program:
        stranger = program.post(
            "/v1/signalen", json=good, headers={"authorization": f"Bearer {number}.{phone}.x"}
        )
        answers.append(stranger)
        program.headers["authorization"] = f"Bearer {token}"
        taken = [
            program.post("/v1/signalen", json=good, headers={"idempotency-key": number}),
            program.post("/v1/trajectgebeurtenissen", json=applied),
        ]
        assert [answer.status_code for answer in taken] == [202, 202], [answer.text for answer in taken]
        answers += taken
        bodies = (bad, {**good, "arrears": "1.00"}, {**good, "municipality": name}, [number], number)
        for n, body in enumerate(bodies):
            keys = {"idempotency-key": f"{number}-{n}", "x-who": phone}
            answers.append(program.post("/v1/signalen", json=body, headers=keys))
        answers.append(program.post("/v1/signalen", json=good, params={"bsn": number}))
        answers.append(program.post("/v1/signalen", content=json.dumps(good).encode()[:-9]))
        answers.append(
            program.post("/v1/signalen", content=f"bsn={number}", headers={"content-type": "text/plain"})
        )
        answers.append(program.post("/v1/taakupdates", json={"task_id": number, "by": name}))
        answers.append(program.get(f"/v1/signalen/{number}", params={"naam": name}))
    assert {answer.status_code for answer in answers} >= {202, 400, 401, 404}
    town.seen += [Hay(f"gateway answer {n}", _whole(answer)) for n, answer in enumerate(answers)]


def _look(town: Town, pages: str) -> None:
    person = people.PEOPLE["hit"]
    number, name = (people.value_of(person, field) for field in ("bsn", "surname"))
    with open_engine(town.product.database_url, name="test").connect() as connection:
        query = "SELECT task_id, team FROM tasks WHERE trajectory_id = 'T-hit' ORDER BY opened_on, task_id"
        task = connection.execute(text(query)).all()[0]
    answers: list[httpx.Response] = []
    with httpx.Client(base_url=pages, timeout=60) as browser:
        lead = Visitor(browser, "team-lead", team=task.team or "")
        contact = lead.post(f"/taken/{task.task_id}/gegevens")
        # Whoever may call is told whom: on this page, and nowhere else.
        assert people.value_of(person, "phone") in contact.text, contact.text
        answers += [lead.get("/signalen", nummer=number), lead.get("/dossiers", traject=name)]
        answers.append(lead.post(f"/taken/{number}/melding", soort=name, versie=number))
    with httpx.Client(base_url=pages, timeout=60) as browser:
        operator = Visitor(browser, "operator")
        operator.counted("/beheer")
        answers += [operator.get("/beheer"), operator.get("/berichten", stand="alle")]
        letters = re.findall(r'href="(/berichten/[^"?]+)"', answers[-1].text)
        answers += [operator.get(letter) for letter in letters]
        answers += [operator.post(letters[0], actie=action) for action in ("opzij", "terug", "opnieuw")]
        answers.append(operator.get(f"/nergens/{number}", naam=name))
    # What somebody typed comes back to him in the form; all else must hold no resident.
    town.seen += [Hay(f"page {n}", _whole(answer)) for n, answer in enumerate(answers) if not _typed(answer)]


def _typed(answer: httpx.Response) -> bool:
    return bool(answer.request.url.query) and answer.request.url.path in {"/signalen", "/dossiers"}


def _whole(answer: httpx.Response) -> bytes:
    return repr(answer.headers.multi_items()).encode() + answer.content


def import_files(town: Town) -> None:
    """An export with a good row and bad ones; what is wrong stands beside it."""
    person = people.PEOPLE["imported"]
    of = {one.name.partition(".")[2]: one.texts[0] for one in person}
    born = "-".join(reversed(of["birth_date"].split("-")))
    about = (
        of["bsn"],
        of["postcode"],
        "14",
        of["addition"],
        born,
        of["initials"],
        of["surname"],
        of["phone"],
    )
    contact = (of["email"], of["customer_reference"])
    days = ("15-10-2026", "20-10-2026", "20-10-2026 09:00", "nee", "nee", "ja")
    rows = [
        ("0344", "S-imported", "1234567", "Energie", *about, *contact, "250,00", *days),
        ("0344", "S-amount", "1234567", "Energie", *about, *contact, of["bsn"] + ",00,00", *days),
        ("0344", of["surname"], "1234567", of["surname"], *about, *contact, "250,00", *days),
        (of["bsn"], "S-code", "1234567", "Huur", *about, *contact, "250,00", *days),
        ("0344", "S-short", *about),
    ]
    file = imports_of(town) / "signalen.csv"
    file.parent.mkdir()
    file.write_text("\n".join([_COLUMNS, *map(";".join, rows)]) + "\n", "utf-8")
    town.run("import", "vps", str(file), "--json", codes=frozenset({1}))
    town.run("import", "vps", str(file), codes=frozenset({1}))
    broken = file.with_name("broken.csv")
    broken.write_text(f"{of['bsn']};{of['surname']}\n", "utf-8")
    town.run("import", "vps", str(broken), codes=frozenset({1, 2}))
    town.run("import", str(broken), str(broken), codes=frozenset({2}))


def imports_of(town: Town) -> Path:
    """The folder of files that are imported, and of their rejects."""
    return town.papers / "imports"


def exports_of(town: Town) -> Path:
    """The folder of what is told to a resident about himself."""
    return town.papers / "exports"


def rotate(town: Town) -> None:
    """A rotation of the match secret begins; the next signal comes under the new one."""
    town.run("keys", "rotate", MUNICIPALITY, "--json", codes=frozenset({0, 1}))
    town.product.settle(sink=True)
    town.run("keys", "rotate", MUNICIPALITY, "--continue", codes=frozenset({0, 1}))
    town.run("keys", "rotate", MUNICIPALITY, "--status", codes=frozenset({0, 1}))
    town.product.publish([people.told("hit", "S-rotated")])
    town.product.settle(sink=True)


def ask_for_rights(town: Town) -> None:
    """What is held of a resident is written where the officer asks; one objects; one is erased; others are refused."""
    about = ("--municipality", MUNICIPALITY, "--by", "po-3")
    exports_of(town).mkdir()
    out = ("--out", str(exports_of(town)))
    town.run("subject", "export", _named(town, "hit"), *about, *out, "--json")
    town.run("subject", "object", _named(town, "regular"), *about, codes=frozenset({0, 1}))
    town.run("subject", "erase", _named(town, "erased"), *about)
    wrong = town.papers / "wrong.json"
    number, name = (people.value_of(people.PEOPLE["hit"], field) for field in ("bsn", "surname"))
    for content in (json.dumps({"bsn": number[:-1] + "0", name: number}), f'{{"bsn": "{number}"'):
        wrong.write_text(content, "utf-8")
        town.run("subject", "export", str(wrong), *about, *out, codes=frozenset({2}))
    nowhere = ("--out", str(wrong / "folder"))
    town.run("subject", "export", _named(town, "hit"), *about, *nowhere, codes=frozenset({2}))


def _named(town: Town, who: str) -> str:
    file = town.papers / f"{who}.json"
    file.write_text(json.dumps({"bsn": people.value_of(people.PEOPLE[who], "bsn")}), "utf-8")
    return str(file)
