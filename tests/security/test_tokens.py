"""Forged, foreign and worn-out tokens: each is refused over HTTP with 401, and nothing of it comes back."""

import asyncio
import hmac
import json
import re
from hashlib import sha256
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey
from signaalwissel.security.signing_keys import FixedKeys
from signaalwissel.security.tokens import (
    LEEWAY_S,
    REMEMBERED_S,
    TOKEN_BYTES_MAX,
    TokenRefused,
    Tokens,
    Trusted,
)

from tests.security.token_support import (
    EC,
    ISSUER,
    NOW,
    OTHER,
    OTHER_ISSUER,
    RSA,
    STRANGER,
    app,
    b64,
    claims,
    good,
    header,
    issuer,
    signed,
    tokens,
)


def hs256(head: dict[str, Any], secret: bytes) -> str:
    text = f"{b64(head)}.{b64(claims())}"
    return f"{text}.{b64(hmac.digest(secret, text.encode(), sha256))}"


def tampered() -> str:
    head, _body, signature = good().split(".")
    return f"{head}.{b64(claims(sub='other'))}.{signature}"


def text_with_twice(first: str, second: str) -> str:
    return json.dumps(claims())[:-1] + f", {first}, {second}}}"


def refusal(token: str) -> set[str]:
    """The words that the log gets; none for a token that is good as far as its issuer goes, such as a bound one."""
    try:
        asyncio.run(tokens().access(token))
    except TokenRefused as refused:
        return set(re.findall(r"\w+", str(refused)))
    return set()


FORGED = {
    "algorithm none": f"{b64(header(alg='none'))}.{b64(claims())}.",
    "algorithm None in another case": f"{b64(header(alg='nOnE'))}.{b64(claims())}.",
    "algorithm none with the signature of a good one": (
        f"{b64(header(alg='none'))}.{b64(claims())}.{good().rsplit('.', 1)[1]}"
    ),
    "HS256 with the public key as its secret": hs256(header(alg="HS256"), RSA.as_pem(private=False)),
    "HS256 with an empty secret": hs256(header(alg="HS256"), b""),
    "an algorithm that is not allowed": jwt.encode(header(alg="RS384"), claims(), RSA, algorithms=["RS384"]),
    "no algorithm": signed(header(alg=None)),
    "an algorithm for another kind of key": signed(header(kid="ec-1")),
    "a key id that is a path": signed(header(kid="../../../../dev/null")),
    "a key id that is a statement": signed(header(kid="x' UNION SELECT 'key")),
    "an unknown key id": signed(header(kid="rsa-2")),
    "no key id": signed(header(kid=None)),
    "a key id that is a list": signed(header(kid=["rsa-1"])),
    "an ID token by its nonce": good(nonce="n"),
    "an ID token by its type": signed(header(typ="JWT")),
    "an ID token that claims its type": good(typ="ID"),
    "no type": signed(header(typ=None)),
    "a refresh token": good(typ="Refresh"),
    "another issuer's key under this issuer's name": jwt.encode(
        header(alg="ES256", kid="ec-1"), claims(), OTHER, algorithms=["ES256"]
    ),
    "this issuer's key under another issuer's name": jwt.encode(
        header(alg="ES256", kid="ec-1"), claims(iss=OTHER_ISSUER), EC, algorithms=["ES256"]
    ),
    "expired": good(exp=NOW - LEEWAY_S - 1),
    "not yet": good(nbf=NOW + LEEWAY_S + 1),
    "without an end": good(exp=None),
    "an end that is a text": good(exp="9999999999"),
    "an unknown issuer": good(iss="https://evil.example"),
    "an issuer that begins like ours": good(iss=ISSUER + ".evil.example"),
    "an issuer that is a list": good(iss=[ISSUER]),
    "no issuer": good(iss=None),
    "another audience": good(aud="other"),
    "an audience that begins like ours": good(aud="signaalwissel2"),
    "no audience": good(aud=None),
    "no subject": good(sub=None),
    "an empty subject": good(sub=""),
    "an embedded key": signed(header(jwk=STRANGER.as_dict(private=False)), key=STRANGER),
    "the address of a key set": signed(header(jku="https://evil.example/keys"), key=STRANGER),
    "the address of a certificate": signed(header(x5u="https://evil.example/c"), key=STRANGER),
    "an embedded certificate": signed(header(x5c=["MII"]), key=STRANGER),
    "signed by a stranger": signed(header(), key=STRANGER),
    "claims changed after signing": tampered(),
    "no signature": good().rsplit(".", 1)[0] + ".",
    "one part": "abc",
    "two parts": good().rsplit(".", 1)[0],
    "five parts, as an encrypted token": f"{b64({'alg': 'dir', 'enc': 'A256GCM'})}....",
    "empty": "",
    "huge": good(note="x" * TOKEN_BYTES_MAX),
    "a claim twice": signed(header(), text_with_twice('"sub": "a"', '"sub": "b"')),
    "a header twice": signed('{"alg":"none","alg":"RS256","kid":"rsa-1","typ":"at+jwt"}'),
    "a critical header": signed(header(crit=["exp"], exp=1)),
    "an unencoded payload": signed(header(b64=False, crit=["b64"])),
    "a token in a token": signed(header(cty="JWT"), b64(good())),
    "claims that are a list": signed(header(), "[]"),
    "deep nesting": signed(header(), "[" * 5000 + "]" * 5000),
    "no JSON": signed(header(), "sub=water-west"),
    "bound to a certificate": good(cnf={"x5t#S256": "abc"}),
    "bound to something unknown": good(cnf="abc"),
    "no base64": "!!!.???.***",
    "another alphabet": good().replace("-", "é"),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused(token: str) -> None:
    client = TestClient(app())
    answer = client.get("/me", headers={"authorization": b"Bearer " + token.encode()})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json().keys() == {"type", "status", "title", "detail"}
    assert not [part for part in token.split(".") if len(part) > 20 and part in answer.text]


def test_a_refusal_for_the_log_holds_nothing_of_the_token() -> None:
    words = set()
    for token in FORGED.values():
        words |= refusal(token)
    assert "trusted" in words
    assert not {"evil", "water", "null", "UNION"} & words


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(good(), id="RSA"),
        pytest.param(
            jwt.encode(header(alg="ES256", kid="ec-1"), claims(), EC, algorithms=["ES256"]), id="EC"
        ),
        pytest.param(signed(header(typ="application/at+JWT")), id="the type in full"),
        pytest.param(good(aud=["other", "signaalwissel"]), id="one of several audiences"),
        pytest.param(good(exp=NOW - LEEWAY_S + 1), id="within the leeway"),
        pytest.param(good(nbf=NOW + LEEWAY_S - 1), id="early within the leeway"),
    ],
)
def test_a_good_token_is_taken(token: str) -> None:
    answer = TestClient(app()).get("/me", headers={"authorization": f"Bearer {token}"})
    assert answer.json() == {"subject": f"{ISSUER}#water-west", "roles": ["integrator"]}


@pytest.mark.parametrize(
    "headers",
    [[], [("authorization", "Basic YTpi")], [("authorization", f"Bearer {good()}")] * 2],
    ids=["none", "a password", "two"],
)
def test_other_credentials_are_refused(headers: list[tuple[str, str]]) -> None:
    assert TestClient(app()).get("/me", headers=headers).status_code == 401  # type: ignore[arg-type]


def test_a_token_in_the_address_is_no_credential() -> None:
    assert TestClient(app()).get("/me", params={"access_token": good()}).status_code == 401


def test_an_id_token_is_for_its_own_login_only() -> None:
    told = claims(aud="pages", nonce="n-1")
    token = jwt.encode(header(typ="JWT"), told, RSA, algorithms=["RS256"])

    def asked(**changed: str) -> Any:
        wanted = {"issuer": ISSUER, "client_id": "pages", "nonce": "n-1", **changed}
        return asyncio.run(tokens().identity(token, **wanted))

    assert asked().claims["sub"] == "water-west"
    for changed in ({"nonce": "n-2"}, {"client_id": "other"}, {"issuer": OTHER_ISSUER}):
        with pytest.raises(TokenRefused):
            asked(**changed)


def test_shared_secrets_cannot_be_allowed() -> None:

    keys = FixedKeys(KeySet([OctKey.generate_key(256, {"kid": "s"}), RSA]))
    assert asyncio.run(keys.key("s")) is None
    assert asyncio.run(keys.key("rsa-1")) is not None


def test_a_token_that_was_verified_counts_for_a_minute_and_never_past_its_end() -> None:
    now = [float(NOW)]
    kept = FixedKeys(KeySet([RSA]))
    asked: list[str] = []

    class Counting:
        async def key(self, kid: str) -> Any:
            asked.append(kid)
            return await kept.key(kid)

    verifier = Tokens((Trusted(issuer(), Counting()),), now=lambda: now[0])
    long, short = good(), good(exp=NOW + 5)
    for _ in range(3):
        asyncio.run(verifier.access(long))
        asyncio.run(verifier.access(short))
    assert len(asked) == 2
    now[0] += 5 + LEEWAY_S + 1
    with pytest.raises(TokenRefused):
        asyncio.run(verifier.access(short))
    now[0] = NOW + REMEMBERED_S
    asyncio.run(verifier.access(long))
    assert len(asked) == 4


def test_a_token_that_differs_in_one_letter_is_looked_at_anew() -> None:
    verifier = tokens()
    token = good()
    asyncio.run(verifier.access(token))
    with pytest.raises(TokenRefused):
        asyncio.run(verifier.access(token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]))
