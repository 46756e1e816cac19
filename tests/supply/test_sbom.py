import json
from pathlib import Path
from typing import Any

import pytest

from tests.supply.locked import LOCK, locked
from tests.supply.sbom import write


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Any:
    target = tmp_path_factory.mktemp("sbom") / "new" / "sbom.cdx.json"
    write(target)
    return json.loads(target.read_text("utf-8"))


def test_it_is_cyclonedx_of_this_product(bill: Any) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "signaalwissel"


def test_it_lists_exactly_what_is_locked_with_its_hashes(bill: Any) -> None:
    listed = {
        (
            part["name"],
            part["version"],
            frozenset(found["content"] for found in part["externalReferences"][0]["hashes"]),
        )
        for part in bill["components"]
    }
    assert listed == {(one.name, one.version, one.hashes) for one in locked(LOCK.read_text("utf-8"))}


def test_every_part_has_a_package_url(bill: Any) -> None:
    assert all(part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}" for part in bill["components"])


def test_a_file_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write(tmp_path / "file" / "sbom.cdx.json")
