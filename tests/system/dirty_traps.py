"""Files that are made to do harm: archives that unpack to far more than they are, and XML that pulls other things in."""

import io
import zipfile

ENTITIES = (
    b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c SYSTEM "file:///etc/hostname">]>\n<x>&b;&c;</x>\n'
)


def zip_bomb(name: str = "bom.csv", kept: bytes | None = None) -> bytes:
    """An archive of a few kilobytes in which 24 MiB of nothing stand under a name.

    Args:
        name: Of the part that is too much.
        kept: An archive whose other parts stay.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bomb:
        if kept is not None:
            with zipfile.ZipFile(io.BytesIO(kept)) as whole:
                for part in whole.infolist():
                    if part.filename != name:
                        bomb.writestr(part.filename, whole.read(part))
        with bomb.open(name, "w") as part_of_bomb:
            for _ in range(24):
                part_of_bomb.write(b" " * (1 << 20))
    return made.getvalue()
