"""Municipality codes as people and systems write them: "GM0344", "344" and 344 are all "0344".

In: what a sender wrote. Out: four digits, or None where it is no code at all.
"""

import re

_CODE = re.compile(r"(?:[Gg][Mm])?([0-9]{1,4})")
_HIGHEST = 9999


def normalised_code(written: object) -> str | None:
    """The four digits of a municipality code, None where it is none."""
    if isinstance(written, bool):
        return None
    if isinstance(written, int):
        return f"{written:04}" if 0 < written <= _HIGHEST else None
    if not isinstance(written, str):
        return None
    found = _CODE.fullmatch(written.strip())
    return None if found is None or not int(found[1]) else found[1].zfill(4)
