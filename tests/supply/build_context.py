"""What an engine takes from the checkout for an image, and secrets that are planted there.

Flows in: a folder with the Dockerfile and `.dockerignore`. Flows out: names of files.
"""

import hashlib
import re
import shutil
from pathlib import Path

from docker.utils.build import walk

from tests.supply.secret_scan import tracked

DOCKERFILE = "deploy/Dockerfile"
IGNORED = ".dockerignore"
_COPY = re.compile(r"^(?:COPY|ADD)\s+(?P<sources>.+)\s\S+$", re.MULTILINE)
MARK = hashlib.sha256(b"what was planted beside the product").hexdigest()[:24].encode()
"""Stands in everything that is planted: wherever it turns up, a planted secret did."""


def planted() -> dict[str, bytes]:
    """What lies about in a checkout from which somebody runs the product, by its place; each holds `MARK`."""
    line, url = b"database_url = '%b'\n", b"postgresql://app:" + b"%b@db/app" % MARK
    # In parts, so that this file holds no form of a secret.
    private_key = b"-----BEGIN " + b"PRIVATE KEY-----\n" + MARK + b"\n-----END " + b"PRIVATE KEY-----\n"
    return {
        ".env": b"SIGNAALWISSEL_DATABASE_URL=" + url,
        "deploy/.env": b"POSTGRES_PASSWORD=" + MARK,
        "deploy/.env.production": b"POSTGRES_PASSWORD=" + MARK,
        "deploy/settings.toml": line % url,
        "console/access.toml": line % url,
        "schemas/production.json": b'{"database": "%b"}' % url,
        "deploy/secrets/postgres-password": MARK,
        "deploy/secrets/ca/registry.pem": b"-----BEGIN CERTIFICATE-----\n" + MARK,
        "deploy/registry-key": private_key,
        "security/broker.key": private_key,
        "security/keys/0344/match-1.secret": b"\x00\xff" + MARK + bytes(6),
        "security/keys/0344/day/2026-02-28.key": b"\x00\xff" + MARK + bytes(6),
        ".git/config": b"[remote]\n\turl = " + url,
        ".git/objects/a1/b2c3": b"x\x9c" + MARK,
        "sinks/dump.sql": b"--\n-- PostgreSQL" + b" database dump\n--\n" + MARK,
        "sinks/dump": b"PG" + b"DMP\x01" + MARK,
        "sinks/pgpass": b"db:5432:app:app:" + MARK,
        "console/webpages/.pgpass": b"db:5432:app:app:" + MARK,
    }


def plant(folder: Path) -> None:
    """Put them into a copy of the checkout."""
    for name, content in planted().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def copied(checkout: Path, folder: Path) -> None:
    """Copy the files of the repository that `checkout` is into a folder."""
    for name in tracked(checkout):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(checkout / name, folder / name)


def taken(folder: Path) -> set[str]:
    """The files that the Dockerfile's COPY lines take from a folder.

    Sources are names of files and folders; one with a sign of a pattern raises ValueError: it would be read wrong here.
    """
    wanted = [source for line in _COPY.finditer(_dockerfile(folder)) for source in line["sources"].split()]
    from_context = [source.removeprefix("./").rstrip("/") for source in wanted]
    if strange := [source for source in from_context if re.search(r"[*?\[\]$\"]", source)]:
        raise ValueError(f"{DOCKERFILE} copies by a pattern: {', '.join(strange)}")
    given = {name for name in _given(folder) if (folder / name).is_file()}
    return {name for name in given if any(_within(name, source) for source in from_context)}


def _dockerfile(folder: Path) -> str:
    lines = (folder / DOCKERFILE).read_text("utf-8").replace("\\\n", " ").splitlines()
    return "\n".join(line for line in lines if "--from=" not in line)


def _given(folder: Path) -> set[str]:
    """What the engine is given: everything that the ignore file does not name."""
    ignored = folder / IGNORED
    lines = ignored.read_text("utf-8").splitlines() if ignored.exists() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return set(walk(str(folder), patterns))


def _within(name: str, source: str) -> bool:
    return source in (".", "") or name == source or name.startswith(f"{source}/")
