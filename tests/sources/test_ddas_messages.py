import json
from pathlib import Path
from typing import Any

import pytest
from signaalwissel.processors import ddas_terms
from signaalwissel.sources.ddas_messages import SIGNALS, TRAJECTORIES, MessageInvalid, Model, Pages

HEAD = {
    "startdatumLevering": "2026-01-01",
    "einddatumLevering": "2026-06-30",
    "aanleverdatumEnTijd": "2026-07-01T08:00:00Z",
    "codeGegevensleverancier": "SOFT-1",
}
SECRET = "123456782"


def signal(number: int, **changes: Any) -> dict[str, Any]:
    client = {"burgerservicenummer": SECRET}
    return {"ID": str(number), "signaalpartner": {"type": "Huur"}, "client": client, **changes}


def pages(folder: Path, size: int, model: Model = SIGNALS) -> Pages:
    def delivery(code: str) -> dict[str, Any]:
        if model is SIGNALS:
            return {"gemeentecode": code, "aanleverende_organisatie": {"naam": "U"}}
        return {"aanleverende_organisatie": {"gemeentecode": code}}

    return Pages(model, folder, HEAD, delivery, size)


def messages(folder: Path) -> list[Any]:
    return [json.loads(file.read_text("utf-8")) for file in sorted(folder.iterdir())]


def test_more_than_a_page_is_divided_and_each_page_tells_of_all(tmp_path: Path) -> None:
    with pages(tmp_path, 2) as written:
        for number in range(3):
            written.add("0344", signal(number))
        written.add("0345", signal(3))
        written.add("0345", signal(4))
    found = messages(tmp_path)
    assert [message["paginering"] for message in found] == [
        {"pageSize": 2, "currentPage": page, "totalPages": 3, "totalRecords": 5} for page in (1, 2, 3)
    ]
    told = [
        (part["gemeentecode"], part["teller"], [one["ID"] for one in part["vroegsignalen"]])
        for message in found
        for part in message["gegevens"]["leveringen"]
    ]
    assert told == [
        ("0344", 1, ["0", "1"]), ("0344", 1, ["2"]), ("0345", 2, ["3"]), ("0345", 1, ["4"])
    ]  # fmt: skip


def test_one_page_has_no_paging_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    with pages(tmp_path, 2) as written:
        written.add("0344", signal(1))
    assert [set(message) for message in messages(tmp_path)] == [{"gegevens"}]
    assert written.files[0].stat().st_mode & 0o077 == 0


def test_without_records_there_is_no_file(tmp_path: Path) -> None:
    with pages(tmp_path, 2):
        pass
    assert list(tmp_path.iterdir()) == []


def write_three(folder: Path, wrong: dict[str, Any]) -> None:
    with pages(folder, 1) as written:
        written.add("0344", signal(1))
        written.add("0344", signal(2, **wrong))
        written.add("0344", signal(3))


@pytest.mark.parametrize(
    "wrong",
    [
        {"client": {"burgerservicenummer": SECRET, "postcode": "3511AB", "huisnummer": "1"}},
        {"client": {}},
        {"bedrag": 1.5},
        {"signaaldatum": "2026-02-30"},
        {"status": "bekend"},
        {"naam": "Jansen"},
    ],
)
def test_a_page_that_breaks_the_schema_is_not_written_and_nothing_of_it_is_told(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(MessageInvalid) as refused:
        write_three(tmp_path, wrong)
    assert "page 2" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_no_page_is_larger_than_its_model_allows(tmp_path: Path) -> None:
    with pages(tmp_path, 50_000, TRAJECTORIES) as written:
        for _ in range(25_001):
            written.add("0344", {"gemeentecode": "0344"})
    counts = [len(m["gegevens"]["leveringen"][0]["schuldhulptrajecten"]) for m in messages(tmp_path)]
    assert counts == [25_000, 1]


def test_the_schemas_know_every_word_that_is_written(tmp_path: Path) -> None:
    with pages(tmp_path, 100) as written:
        for number, kind in enumerate(ddas_terms.PARTNERS.values()):
            written.add("0344", signal(number, signaalpartner={"type": kind}))
        ids = {"vroegsignalen": [{"ID": "1"}]}
        for result in ddas_terms.RESULTS.values():
            written.add_beside("0344", "vroegsignaalzaken", {**ids, "resultaat": result})
        attempts = [{"soort": channel} for channel in ddas_terms.CHANNELS.values()]
        written.add_beside("0344", "vroegsignaalzaken", {**ids, "contactpogingen": attempts})
    with pages(tmp_path, 100, TRAJECTORIES) as tracks:
        services = [{"soort": service} for service in ddas_terms.SERVICES.values()]
        tracks.add("0344", {"gemeentecode": "0344", "begeleiding": services})
        for reason in ddas_terms.EXITS.values():
            tracks.add("0344", {"gemeentecode": "0344", "uitstroom": {"reden": reason}})
    assert len(written.files) == len(tracks.files) == 1
