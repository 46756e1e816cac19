"""Who a task is about, as its signals say it."""

from signaalwissel.schemas.signal import SealedSubject, Subject
from signaalwissel.schemas.trajectory import Counsellor

from tests.console.webpages.web_support import BSN, COUNSELLOR, TEAM, Town, counsellor


def test_a_signal_with_nothing_but_a_bsn_says_so_and_where_to_look(town: Town) -> None:
    owner = {"counsellor": Counsellor(COUNSELLOR, TEAM), "team": TEAM}
    only_a_number = SealedSubject(Subject(bsn=BSN), None)
    town.office.store(town.decision("s-9", only_a_number, trajectory_id="T-9", **owner))
    page = counsellor(town).post(f"/taken/{town.relapse('T-9')}/gegevens").text
    assert "De partner stuurde alleen een burgerservicenummer" in page
    assert BSN not in page
