"""Who is not who he says, or speaks for somebody else, gets nothing past the gateway: forged tokens, other municipalities."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from signaalwissel.schemas.contract import codec
from signaalwissel.security.access_settings import Access, Rights

from tests.security.test_tokens import FORGED
from tests.security.token_support import RSA, claims, header, issuer
from tests.sources.gateway_support import Outlet, client, event, gateway, signal, update

PATHS = {
    "/v1/signalen": signal(),
    "/v1/trajectgebeurtenissen": event(),
    "/v1/taakupdates": update(),
}
CODES = ("0344", "0363", "0599", "9999")
PARTNERS = ("water-west", "energie-noord")


@pytest.mark.parametrize("path", PATHS)
def test_no_forged_token_brings_a_record_in(path: str) -> None:
    outlet = Outlet()
    stranger = TestClient(gateway(outlet))
    statuses = set()
    for token in FORGED.values():
        answer = stranger.post(path, json=PATHS[path], headers={"authorization": b"Bearer " + token.encode()})
        statuses.add(answer.status_code)
        assert "Traceback" not in answer.text
    assert len(FORGED) >= 25
    assert statuses == {401}
    assert outlet.sent == []


@given(
    own=st.frozensets(st.sampled_from(CODES), min_size=1),
    partners=st.frozensets(st.sampled_from(PARTNERS), min_size=1),
    bodies=st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(PARTNERS)), min_size=1, max_size=4),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_record_of_another_municipality_or_partner_never_goes_on(
    own: frozenset[str], partners: frozenset[str], bodies: list[tuple[str, str]]
) -> None:
    outlet = Outlet()
    rights = Rights(municipalities=own, partners=partners)
    program = client(outlet, "program", access=Access(issuers=(issuer(clients={"program": rights}),)))
    for number, (code, partner) in enumerate(bodies):
        partner_of = {"partner_id": partner, "kind": "WATER"}
        program.post(
            "/v1/signalen", json=signal(signal_id=f"S-{number}", municipality=code, partner=partner_of)
        )
        program.post("/v1/trajectgebeurtenissen", json=event(event_id=f"e-{number}", municipality=code))
    sent = [(one.topic, _record(one)) for one in outlet.sent]
    assert {record.municipality for _, record in sent} <= own
    assert {record.partner.partner_id for topic, record in sent if topic == "p-signals"} <= partners
    wanted = sum(code in own for code, _ in bodies) + sum(
        code in own and partner in partners for code, partner in bodies
    )
    assert len(sent) == wanted


def _record(sent: Any) -> Any:
    return codec("EarlySignal" if sent.topic == "p-signals" else "TrajectoryEvent").decode(sent.value)


def test_a_token_that_is_good_elsewhere_is_none_here() -> None:
    outlet = Outlet()
    other = jwt.encode(header(), claims(aud="another-product"), RSA, algorithms=["RS256"])
    answer = TestClient(gateway(outlet)).post(
        "/v1/signalen", json=signal(), headers={"authorization": f"Bearer {other}"}
    )
    assert (answer.status_code, outlet.sent) == (401, [])
