"""Spellings of addresses and surnames folded to one (domain 8.8)."""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from tests.oracle.model import Identity

# As docs/rules.md 8.8 lists them.
_PREFIXES = (
    "aan af al am auf aus bij bin boven d da dal dalla das de degli dei del dela della den der des di die do don dos "
    "du el en het im in l la las le les lo los of onder op over s t te ten ter tho thoe thor to toe tot uijt uit van "
    "vanden ver vom von voor vor zu zum zur"
)
PREFIXES = frozenset(_PREFIXES.split())
LIKE = (("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("ø", "o"), ("ł", "l"), ("đ", "d"), ("þ", "th"))


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
    """Lower-case letters alone, without diacritics, and without prefixes wherever they stand: "Berg, van den"."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    for letter, like in LIKE:
        plain = plain.replace(letter, like)
    words = "".join(c if c.isalpha() else " " for c in plain).split()
    return "".join([word for word in words if word not in PREFIXES] or words)
