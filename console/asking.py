"""Who is asked about: read from a file or standard input, so that it stands in no shell history and process list.

Flows in: one JSON object with bsn, or postcode, house_number and birth_date. Flows out: the resident as keyed hashes,
and the request's id, derived from them and the moment. No error repeats a value.
"""

import json
import sys
from pathlib import Path
from typing import Any

from signaalwissel.console.failures import UsageFailure
from signaalwissel.processors.pseudonyms import PseudonymKeys
from signaalwissel.processors.rejection import Rejected
from signaalwissel.processors.sealing import KeyProvider
from signaalwissel.processors.subject import Person, SubjectUnclear, person_of
from signaalwissel.processors.validation import check_id, check_municipality, check_subject
from signaalwissel.schemas.contract import codec
from signaalwissel.schemas.errors import DoesNotFit
from signaalwissel.schemas.signal import SealedSubject, Subject
from signaalwissel.schemas.units import Millis

_FIELDS = ("bsn", "postcode", "house_number", "house_number_addition", "birth_date")
_SIZE = 16


def read_person(file: Path, municipality: str, keys: KeyProvider) -> Person:
    """The resident whom a file, or standard input for `-`, names.

    Raises:
        UsageFailure: It cannot be read, names nobody or breaks a rule; says which field, never its value.
        KeyUnavailable: The municipality's keys cannot be had now.
    """
    try:
        check_municipality(municipality)
    except Rejected as refusal:
        raise UsageFailure(f"--municipality: {refusal.rule}") from None
    if not keys.knows(municipality):
        raise UsageFailure(f"municipality {municipality} has no keys here")
    subject = _subject(_content(file), _named(file))
    try:
        return person_of(subject, keys.pseudonym_keys(municipality))
    except SubjectUnclear as unclear:
        raise UsageFailure(f"{_named(file)}: {unclear}") from None


def request_id(kind: str, person: Person, keys: PseudonymKeys, at: Millis) -> str:
    """The id of a request: a keyed hash of what, about whom and when."""
    whom = person.bsn or (person.birth_date or b"") + b"".join(sorted(person.addresses))
    return f"{kind}-{keys.hashed(f'request:{kind}:{at}:'.encode() + whom)[:_SIZE].hex()}"


def check_words(**words: str) -> None:
    """Refuse options that the record of the request cannot hold; UsageFailure names the option."""
    for name, value in words.items():
        try:
            check_id(value, name)
        except Rejected as refusal:
            raise UsageFailure(f"--{name}: {refusal.rule}") from None


def _content(file: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        raise UsageFailure(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageFailure(f"{_named(file)}: is not UTF-8") from None
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        content = None
    if not isinstance(content, dict):
        # Not chained: the parser's error may hold the text.
        raise UsageFailure(f"{_named(file)}: must be one JSON object with {', '.join(_FIELDS)}") from None
    unknown = sorted(set(content) - set(_FIELDS))
    if unknown:
        raise UsageFailure(
            f"{_named(file)}: has {len(unknown)} unknown fields; known are {', '.join(_FIELDS)}"
        )
    return content


def _subject(content: dict[str, Any], where: str) -> Subject:
    try:
        sealed: SealedSubject = codec("SealedSubject").from_json({"subject": content})
        check_subject(sealed.subject, "resident")
    except DoesNotFit as error:
        raise UsageFailure(f"{where}: {error.field.removeprefix('subject.')}: {error.rule}") from None
    except Rejected as refusal:
        raise UsageFailure(
            f"{where}: {(refusal.field or '').removeprefix('resident.')}: {refusal.rule}"
        ) from None
    return sealed.subject


def _named(file: Path) -> str:
    return "standard input" if str(file) == "-" else str(file)
