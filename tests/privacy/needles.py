"""What a resident's data looks like when it has leaked: every spelling of every canary, as bytes to look for.

In: canaries, values that occur nowhere else in the world. Out: needles, each with the name of its canary and the
spelling; never the value itself, which no report may repeat.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

SHORTEST = 6
"""Bytes; what is shorter turns up by chance in what is sealed or hashed."""


class Canary(NamedTuple):
    """A value that must not be found; `texts` are the ways in which it may be written."""

    name: str
    texts: tuple[str, ...]
    is_bsn: bool = False

    def __repr__(self) -> str:
        return f"Canary({self.name})"


class Needle(NamedTuple):
    """Which canary, spelled how."""

    canary: str
    spelling: str


def bsn(name: str, value: str) -> Canary:
    """A BSN, also without the zeros before it; looked for as a number and as an unkeyed digest too."""
    return Canary(name, tuple(dict.fromkeys((value, value.lstrip("0")))), is_bsn=True)


def text(name: str, value: str, *others: str) -> Canary:
    """A text, in its own and in other letters' case, and as `others` write it."""
    return Canary(name, tuple(dict.fromkeys((value, value.lower(), value.upper(), *others))))


def needles(canaries: Iterable[Canary]) -> dict[bytes, Needle]:
    """Everything to look for; the plain spelling keeps its name where two are the same bytes.

    Raises:
        ValueError: A canary is so short that it would be found by chance; names it.
    """
    found: dict[bytes, Needle] = {}
    for canary in canaries:
        for spelling, data in _spelled(canary):
            if len(data) < SHORTEST:
                raise ValueError(f"{canary.name}, {spelling}: shorter than {SHORTEST} bytes")
            found.setdefault(data, Needle(canary.name, spelling))
    return found


def _spelled(canary: Canary) -> Iterator[tuple[str, bytes]]:
    for written in canary.texts:
        plain = written.encode()
        yield "plain", plain
        yield "reversed", written[::-1].encode()
        yield "Latin-1", written.encode("latin-1")
        yield "UTF-16 LE", written.encode("utf-16-le")
        yield "UTF-16 BE", written.encode("utf-16-be")
        yield "in a URL", quote(written, safe="").encode()
        yield "in JSON", json.dumps(written)[1:-1].encode()
        yield from _as_text("", plain)
    if canary.is_bsn:
        yield from _of_a_number(canary.texts)


def _of_a_number(texts: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    number = int(texts[0])
    yield "64 bits LE", number.to_bytes(8, "little")
    yield "64 bits BE", number.to_bytes(8, "big")
    for written in {*texts, texts[0].zfill(9), texts[0].zfill(10)}:
        for algorithm in ("sha256", "sha1", "md5"):
            digest = hashlib.new(algorithm, written.encode(), usedforsecurity=False).digest()
            yield f"{algorithm}", digest
            yield from _as_text(f"{algorithm} in ", digest)


def _as_text(of: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield f"{of}hex", data.hex().encode()
    yield f"{of}HEX", data.hex().upper().encode()
    for alignment in range(3):
        for encoding, encode in (("base64", base64.b64encode), ("URL base64", base64.urlsafe_b64encode)):
            yield (
                f"{of}{encoding} +{alignment}",
                inside(encode(bytes(alignment) + data), alignment, len(data)),
            )


def inside(encoded: bytes, before: int, length: int) -> bytes:
    """The characters of base64 that `length` bytes decide alone, with `before` other bytes in front of them."""
    return encoded[-(-before * 8 // 6) : (before + length) * 8 // 6]


def resident(number: int, bsn_value: str, postcode: str, born: str) -> tuple[Canary, ...]:
    """The canaries of one resident, everything that a subject may hold.

    Args:
        number: Makes names, numbers and addresses of its own.
        bsn_value: Nine digits.
        postcode: Like `9731ZX`.
        born: Like 1913-02-27.
    """
    year, month, day = born.split("-")
    phone = f"0687{number:02d}3197"
    return (
        bsn(f"{number}.bsn", bsn_value),
        text(
            f"{number}.surname",
            f"Kanarië-Vliet{number}weg",
            f"Kanarie-Vliet{number}weg",
            f"kanarievliet{number}weg",
        ),
        text(f"{number}.phone", phone, f"+31{phone[1:]}", f"0031{phone[1:]}"),
        text(f"{number}.email", f"kanarie{number}.zingt@vogelvrij.example"),
        text(f"{number}.postcode", postcode, f"{postcode[:4]} {postcode[4:]}"),
        text(f"{number}.addition", f"kanzol{number}"),
        text(f"{number}.initials", f"Q.X.{number}.J.W."),
        text(f"{number}.customer_reference", f"KLANT-KANARIE-{number}{number}83"),
        Canary(f"{number}.birth_date", (born, f"{day}-{month}-{year}", f"{year}{month}{day}")),
    )


def subject_of(canaries: Sequence[Canary], *fields: str) -> dict[str, str | int]:
    """A subject in JSON form with the named fields of a resident, or with all."""
    values: Mapping[str, str] = {one.name.partition(".")[2]: one.texts[0] for one in canaries}
    names = {"addition": "house_number_addition"}
    told: dict[str, str | int] = {
        names.get(name, name): value
        for name, value in values.items()
        if name != "customer_reference" and (not fields or name in fields)
    }
    return {**told, "house_number": 14} if "postcode" in told else told
