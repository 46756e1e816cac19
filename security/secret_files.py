"""Files that hold one secret: read when they are needed, refused where everybody could read them.

In: a file. Out: what it holds; SecretUnusable names the file and never repeats what is in it.
"""

import stat
from pathlib import Path


class SecretUnusable(ValueError):
    """A file of a secret cannot be used."""


def read_secret(file: Path) -> bytes:
    """What is in a file that is closed to others, without space around it; raises SecretUnusable."""
    try:
        mode = file.stat().st_mode
        secret = file.read_bytes().strip()
    except OSError as error:
        raise SecretUnusable(f"{file} cannot be read: {error.strerror}") from None
    if mode & stat.S_IRWXO:
        raise SecretUnusable(f"everyone can read {file}; run `chmod o= {file}`, and replace it if it leaked")
    return secret


def read_secret_text(file: Path) -> str:
    """The same where it must be text."""
    try:
        return read_secret(file).decode()
    except UnicodeDecodeError:
        raise SecretUnusable(f"{file} holds no text") from None
