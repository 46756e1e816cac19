"""Secrets in files of the repository: passwords, tokens, keys.

Flows in: names and contents of files. Flows out: findings, which name place and kind and never show the secret.

It is narrow on purpose: forms that are secrets wherever they stand. Throw-away values of tests are listed by their
value, each with its use.
"""

import math
import re
import subprocess
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

THROW_AWAY = frozenset(
    {
        "s3cret",  # the password that tests look for where none may be shown
        "s3",  # the same with an odd sign inside: s3/cret, s3@cret
        "s3#cret",
        "s3?cret",
        "geheim",  # the same, in a URL that is refused for holding it
        "s3cret-token",
        # The digests of RFC 4231, cases 1 and 2: published, and no keys.
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        # The digest of the registry's archive, which is public.
        "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63",
        # Digests of rows that a test of the audit chain makes up.
        "4c1328ad688983ab37b2f89d334a513371686530127f579887b8824b455a97e1",
        "269b3fe310fba35bef493c1b199a478a81726b189455fd7125c67bc0db72d49c",
    }
)
_KEY_FILES = frozenset(
    {
        *(".pem", ".key", ".secret", ".p12", ".pfx", ".jks", ".keystore", ".truststore", ".kdbx"),
        *(
            ".env",
            ".pgpass",
            "pgpass",
            ".netrc",
            ".pypirc",
            ".git-credentials",
            "id_rsa",
            "id_ecdsa",
            "id_ed25519",
        ),
    }
)
_FOLDERS = frozenset({".git", "secrets"})
"""The history, whose files are packed; and where docs/deploy.md has passwords."""
# Lists of digests of public files; everything else that looks like 32 random bytes could be a key.
_DIGESTS = re.compile(
    r"(requirements(-image)?\.lock|requirements\.txt|jars\.sha256|build-requirements\.txt|fingerprints\.json|go\.sum)$"
)
_FORMS = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "token of a service": re.compile(
        r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40,}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10,}|hv[sbr]\.[\w-]{24,}"
        r"|AKIA[0-9A-Z]{16}|pypi-[\w-]{50,}|npm_[A-Za-z0-9]{36})"
    ),
    "database dump": re.compile(r"^(PGDMP|-- PostgreSQL database dump$)"),
    "signed token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
}
_URL_PASSWORD = re.compile(r"\w://[^\s/:@\"'{}<>]*:(?P<value>[^\s/@\"'{}<>]+)@")
_ASSIGNED = re.compile(
    r"(?i)(?:password|passwd|secret|token|api_?key|private_?key)\w*[\"'\])]*\s*(?::\s*\w+\s*)?[=:]\s*"
    r"[\"'](?P<value>[^\s\"']{8,})[\"']"
)
_HEX_KEY = re.compile(r"(?<![0-9a-fA-F])(?P<value>[0-9a-fA-F]{64})(?![0-9a-fA-F])")
_BASE64_KEY = re.compile(r"(?<![\w+/-])(?P<value>[A-Za-z0-9+/_-]{43}=)(?![\w+/=-])")
# Words of a text have fewer bits a sign than what a generator of passwords makes of as many signs.
_RANDOM_BITS = 3.2


class Finding(NamedTuple):
    """A secret by its place; never its value."""

    path: str
    line: int
    kind: str


def tracked(root: Path) -> list[str]:
    """The files of the repository in `root`, new ones that are not ignored included."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=root, check=True, capture_output=True, timeout=60).stdout
    return sorted({name for name in listed.decode().split("\0") if name and (root / name).is_file()})


def findings(path: str, content: bytes) -> list[Finding]:
    """What looks like a secret in a file.

    Args:
        path: From the root of the repository, with slashes.
        content: Its bytes; what is no UTF-8 is read byte by byte.
    """
    found = [Finding(path, 0, kind) for kind in _kinds_of_place(PurePosixPath(path))]
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        found += [Finding(path, number, kind) for kind in _kinds(path, line)]
    return found


def _kinds_of_place(path: PurePosixPath) -> list[str]:
    # Compose reads `.env`, and people keep a `.env.production` beside it.
    of_keys = {path.suffix, path.name} & _KEY_FILES or path.name.startswith(".env.")
    kinds = ["file of keys"] if of_keys else []
    return [*kinds, "folder of secrets"] if _FOLDERS & set(path.parts[:-1]) else kinds


def _kinds(path: str, line: str) -> list[str]:
    kinds = [kind for kind, form in _FORMS.items() if form.search(line)]
    if any(not _harmless(match["value"]) for match in _URL_PASSWORD.finditer(line)):
        kinds.append("password in a URL")
    if any(_random(match["value"]) for match in _ASSIGNED.finditer(line)):
        kinds.append("secret as a constant")
    if not _DIGESTS.search(path):
        keys = [*_HEX_KEY.finditer(line), *_BASE64_KEY.finditer(line)]
        if any(_random(match["value"]) for match in keys):
            kinds.append("key of 32 bytes")
    return kinds


def _harmless(value: str) -> bool:
    return value in THROW_AWAY or set(value) <= {"*", "."}


def _random(value: str) -> bool:
    if _harmless(value):
        return False
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    mixed = any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)
    return mixed and bits >= min(_RANDOM_BITS, math.log2(len(value)) * 0.85)
