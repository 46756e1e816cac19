"""Spellings of addresses and surnames folded to one (domain 8.8)."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from tests.oracle.model import Identity

# The clarification's list ends in dots; these are the ones that it names.
PREFIXES = frozenset(
    ("van", "de", "der", "den", "het", "t", "te", "ter", "ten", "op", "in", "la", "le", "von", "zu")
)


@lru_cache(maxsize=65536)
def letters_and_digits(text: str) -> str:
    """Upper case without spaces and punctuation."""
    return "".join(character for character in text.upper() if character.isalnum())


def postcode_is_valid(text: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{3}[A-Z]{2}", letters_and_digits(text)) is not None


def bsn_is_valid(text: str) -> bool:
    """Nine digits, not all zero, that pass the 11-proof: 9a+8b+...+2h-i divides by 11."""
    if re.fullmatch(r"[0-9]{9}", text) is None or int(text) == 0:
        return False
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(w * int(digit) for w, digit in zip(weights, text, strict=True)) % 11 == 0


def address_of(subject: dict[str, Any]) -> Identity | None:
    """The address by which a person is found, or None without postcode or house number."""
    if subject["postcode"] is None or subject["house_number"] is None:
        return None
    addition = letters_and_digits(subject["house_number_addition"] or "")
    return "address", letters_and_digits(subject["postcode"]), str(subject["house_number"]), addition


@lru_cache(maxsize=65536)
def folded_surname(text: str) -> str:
    """Lower-case letters alone, without diacritics and without prefixes, wherever they stand ("Berg, van den"); ß is ss."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    words = ["".join(c for c in word if c.isalpha()) for word in plain.lower().replace("ß", "ss").split()]
    words = [word for word in words if word]
    return "".join([word for word in words if word not in PREFIXES] or words)
