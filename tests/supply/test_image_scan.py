"""The detector finds a secret wherever an image can hold one, and nothing in what is known to all."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.supply.image_scan import image_files, image_findings, installed_digests
from tests.supply.secret_scan import Finding

# Put together here, so that this file holds none itself.
KEY = b"-----BEGIN EC " + b"PRIVATE KEY-----\nMHc"
URL = b"https://reader:" + b"Kd82nx@packages.example.nl/simple"
DIGEST = hashlib.sha256(b"layer").hexdigest()
HARMLESS = {"Env": ["PATH=/app/bin:/bin", "PASSWORD_FILE=/run/secrets/password"], "Cmd": ["--help"]}

Layer = Mapping[str, bytes]


def packed(files: Layer) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def zipped(files: Layer) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def saved(folder: Path, *layers: Layer, config: Any = None, history: str = f"COPY dir:{DIGEST} in /") -> Path:
    """An image as `docker save` writes it."""
    told = {
        "config": config or HARMLESS,
        "history": [{"created_by": history}],
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{DIGEST}"]},
    }
    names = [f"layer-{number}.tar" for number in range(len(layers))]
    manifest = [{"Config": "config.json", "RepoTags": ["image:1"], "Layers": names}]
    parts = {"config.json": json.dumps(told).encode(), "manifest.json": json.dumps(manifest).encode()}
    file = folder / "image.tar"
    file.write_bytes(packed({**parts, **dict(zip(names, map(packed, layers), strict=True))}))
    return file


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        pytest.param({"app/lib/x.py": b"\n" + KEY}, "app/lib/x.py", id="in a file"),
        pytest.param({"./root/.netrc": b"machine"}, "root/.netrc", id="by its name"),
        pytest.param({"app/x.jar": zipped({"x.txt": KEY})}, "app/x.jar/x.txt", id="in an archive"),
        pytest.param({"app/x": zipped({"y.jar": zipped({"z": KEY})})}, "app/x/y.jar/z", id="in two archives"),
        pytest.param({"app/__pycache__/x.cpython-311.pyc": KEY}, "app/__pycache__/x.cpython-311.pyc", id="compiled"),
    ],
)  # fmt: skip
def test_a_secret_in_a_layer_is_found_with_its_place(tmp_path: Path, layer: Layer, place: str) -> None:
    found = image_findings(saved(tmp_path, {"bin/true": b"ELF"}, layer))
    assert {one.path for one in found} == {place}


def test_a_secret_that_a_later_layer_takes_away_is_found(tmp_path: Path) -> None:
    found = image_findings(saved(tmp_path, {"build/id": KEY}, {"build/.wh.id": b""}))
    assert found == [Finding("build/id", 1, "private key")]


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        pytest.param({"Env": ["DATABASE_PASSWORD=letmein"]}, "secret in a variable", id="variable"),
        pytest.param({"Labels": {"built.token": "gh" + "p_" + "a1B2" * 9}}, "token of a service", id="label"),
        pytest.param({"Cmd": ["sink", "--database", URL.decode()]}, "password in a URL", id="command"),
    ],
)
def test_a_secret_in_the_config_is_found(tmp_path: Path, config: Any, kind: str) -> None:
    assert kind in {one.kind for one in image_findings(saved(tmp_path, {}, config=config))}


@pytest.mark.parametrize(
    ("history", "kind"),
    [
        pytest.param(
            "|1 PIP_INDEX_URL=" + URL.decode() + " /bin/sh -c pip install", "password in a URL", id="in a URL"
        ),
        pytest.param("|1 VAULT_TOKEN=letmein /bin/sh -c make", "secret in a variable", id="by its name"),
    ],
)
def test_an_argument_of_the_build_is_found_in_the_history(tmp_path: Path, history: str, kind: str) -> None:
    assert [one.kind for one in image_findings(saved(tmp_path, {}, history=history))] == [kind]


def test_digests_and_the_place_of_a_secret_are_none(tmp_path: Path) -> None:
    assert image_findings(saved(tmp_path, {"bin/true": b"ELF"})) == []


AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"


def test_a_line_of_a_certificate_of_an_authority_is_no_key(tmp_path: Path) -> None:
    line = base64.b64encode(hashlib.sha256(b"certificate").digest())
    found = image_findings(saved(tmp_path, {AUTHORITIES: line, "app/elsewhere.crt": line}))
    assert {one.path for one in found} == {"app/elsewhere.crt"}


def test_a_private_key_among_the_authorities_is_found(tmp_path: Path) -> None:
    assert image_findings(saved(tmp_path, {AUTHORITIES: KEY})) == [Finding(AUTHORITIES, 1, "private key")]


def record(name: str, content: bytes) -> bytes:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"{name},sha256={digest},{len(content)}\n{name}c,,\n".encode()


def md5sum(name: str, content: bytes) -> bytes:
    return f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {name}\n".encode()


LISTS = [
    pytest.param("lib/x-1.dist-info/RECORD", record("x.py", KEY), id="of pip"),
    pytest.param("var/lib/dpkg/info/x.md5sums", md5sum("lib/x.py", KEY), id="of dpkg"),
]


@pytest.mark.parametrize(("place", "listed"), LISTS)
def test_a_file_as_its_package_has_it_is_known_to_all_and_so_is_what_was_compiled_of_it(
    tmp_path: Path, place: str, listed: bytes
) -> None:
    layer = {"lib/__pycache__/x.cpython-311.pyc": b"\x00" + KEY, "lib/x.py": KEY, place: listed}
    assert image_findings(saved(tmp_path, layer)) == []


@pytest.mark.parametrize(("place", "listed"), LISTS)
def test_a_file_that_was_changed_since_is_looked_into(tmp_path: Path, place: str, listed: bytes) -> None:
    found = image_findings(saved(tmp_path, {"lib/x.py": KEY + b"!", place: listed}))
    assert {one.path for one in found} == {"lib/x.py"}


def test_our_own_package_is_looked_into_whatever_its_list_says(tmp_path: Path) -> None:
    layer = {"lib/x.py": KEY, "lib/signaalwissel-0.1.0.dist-info/RECORD": record("x.py", KEY)}
    assert {one.path for one in image_findings(saved(tmp_path, layer))} == {"lib/x.py"}


def test_what_is_told_to_be_published_is_known_to_all(tmp_path: Path) -> None:
    told = [hashlib.sha256(KEY).hexdigest()]
    assert image_findings(saved(tmp_path, {"opt/program.jar": KEY}), told) == []


def test_every_file_of_every_layer_is_read(tmp_path: Path) -> None:
    archive = saved(tmp_path, {"a": b"1"}, {"a": b"2", "b/c": b"3"})
    assert list(image_files(archive)) == [("a", b"1"), ("a", b"2"), ("b/c", b"3")]


def test_digests_of_an_installed_package_are_those_of_its_files() -> None:
    import certifi  # noqa: PLC0415 - any package with a file of data

    file = Path(certifi.where())
    assert hashlib.sha256(file.read_bytes()).hexdigest() in set(installed_digests("certifi"))
