"""Secrets in a built image.

Flows in: the archive that `docker save` writes. Flows out: findings in every file of every layer, also in those that a
later layer takes away, and in the config: variables, labels, commands, history.

What a package's maker published is left out by its digest, as the lists of pip and dpkg have it: it is known to all.
"""

import base64
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath
from typing import Any

from tests.supply.secret_scan import Finding, findings

_OURS = "signaalwissel-"
_RECORD = re.compile(r",sha256=([\w-]{43}),")
_MD5 = re.compile(r"(?:^| )([0-9a-f]{32})(?: |$)", re.MULTILINE)
_DPKG_LISTS = re.compile(r"^var/lib/dpkg/(info/[^/]+\.md5sums|status)$")
# Digests of what an engine copied; a key of 32 bytes looks the same.
_DIGEST = re.compile(r"\b(?:sha256|file|dir|multi):[0-9a-f]{64}")
_IDS = frozenset({"rootfs", "id", "parent", "container", "Image", "parent_id"})
_VARIABLE = re.compile(
    r"(?i)\b\w*(?:password|passwd|secret|token|api_?key|private_?key|credential)\w*=[\"']?(?P<value>[^\s\"']+)"
)
_PUBLIC = (
    ("var/lib/apt/lists/*", "key of 32 bytes"),  # digests of Debian's packages
    (
        "etc/ssl/certs/ca-certificates.crt",
        "key of 32 bytes",
    ),  # the last lines of certificates may be that long
)
"""What is found in a base image and is known to all."""


def image_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Every regular file of every layer, by its name without a leading slash; a layer at a time, the lowest first."""
    with tarfile.open(archive) as saved:
        for name in dict.fromkeys(layer for one in _manifest(saved) for layer in one["Layers"]):
            with tarfile.open(fileobj=_member(saved, name)) as layer:
                for entry in layer:
                    content = layer.extractfile(entry) if entry.isfile() else None
                    if content is not None:
                        yield str(PurePosixPath("/", entry.name).relative_to("/")), content.read()


def image_config(archive: Path) -> Iterator[str]:
    """Every text of the config of the image."""
    with tarfile.open(archive) as saved:
        for one in _manifest(saved):
            yield from _texts(json.load(_member(saved, one["Config"])))


def image_findings(archive: Path, published: Iterable[str] = ()) -> list[Finding]:
    """What looks like a secret.

    Args:
        archive: What `docker save` wrote, of one image.
        published: SHA-256 of files that are known to all, beside those that the image's own lists of packages tell.
    """
    known = {*published, *_listed(archive)}
    found = [Finding("config", 0, kind) for text in image_config(archive) for kind in _kinds_of_config(text)]
    public: set[str] = set()
    compiled: list[tuple[str, bytes]] = []
    for name, content in image_files(archive):
        if not known.isdisjoint(_digests(content)):
            public.add(name)
        elif _source(name):
            compiled.append((name, content))
        else:
            found += _found(name, content)
    # What Python compiled of a published module is in no list: the machine that installed it wrote it.
    return [
        *found,
        *(one for name, content in compiled if _source(name) not in public for one in _found(name, content)),
    ]


def installed_digests(package: str) -> Iterator[str]:
    """SHA-256 of the files of a package that is installed here, as its maker published them."""
    for file in distribution(package).files or ():
        if file.hash is not None and file.hash.mode == "sha256":
            yield _hexadecimal(file.hash.value)


def _manifest(saved: tarfile.TarFile) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.load(_member(saved, "manifest.json"))
    return read


def _member(saved: tarfile.TarFile, name: str) -> Any:
    content = saved.extractfile(name)
    assert content is not None, f"{name} is no file of the archive"
    return content


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in _IDS:
                yield from (f"{key}={text}" for text in _texts(one))


def _kinds_of_config(text: str) -> list[str]:
    named = [match["value"] for match in _VARIABLE.finditer(text)]
    # A variable may say in which file the secret will be.
    shown = [value for value in named if not value.startswith(("/", "$"))]
    kinds = [one.kind for one in findings("config", _DIGEST.sub("", text).encode())]
    return [*kinds, "secret in a variable"] if shown else kinds


def _listed(archive: Path) -> Iterator[str]:
    for name, content in image_files(archive):
        path = PurePosixPath(name)
        if path.match("*.dist-info/RECORD") and not path.parent.name.startswith(_OURS):
            yield from map(_hexadecimal, _RECORD.findall(content.decode("utf-8", "replace")))
        elif _DPKG_LISTS.match(name):
            yield from _MD5.findall(content.decode("utf-8", "replace"))


def _hexadecimal(digest: str) -> str:
    return base64.urlsafe_b64decode(digest + "=").hex()


def _digests(content: bytes) -> tuple[str, str]:
    # MD5 is what dpkg has: enough to tell a file that nobody touched.
    return hashlib.sha256(content).hexdigest(), hashlib.md5(content, usedforsecurity=False).hexdigest()


def _source(name: str) -> str:
    path = PurePosixPath(name)
    compiled = path.suffix == ".pyc" and path.parent.name == "__pycache__"
    return str(path.parents[1] / f"{path.name.split('.')[0]}.py") if compiled else ""


def _found(name: str, content: bytes) -> Iterator[Finding]:
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for inside in packed.namelist():
                yield from _found(f"{name}/{inside}", packed.read(inside))
    for one in findings(name, content):
        if not any(PurePosixPath(name).match(place) and one.kind == kind for place, kind in _PUBLIC):
            yield one
