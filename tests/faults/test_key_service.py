"""The key service goes away in mid-run: work stops, nothing is acknowledged, nothing is lost (design 7)."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from signaalwissel import processors
from signaalwissel.processors.sealing import key_id_of

from tests.security.vault_stub import ROOT, VaultStub, serving
from tests.security.vault_support import secret_file
from tests.system.installation import Installation
from tests.system.lines import signal

pytestmark = pytest.mark.timeout(400)


def policies(folder: Path) -> Path:
    made = folder / "policies"
    made.mkdir()
    shutil.copy(Path(processors.__path__[0]) / "default.toml", made)
    (made / "0344.toml").touch()
    return made


def test_a_key_service_that_is_away_stops_the_work_and_loses_nothing(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    with serving(VaultStub()) as stub:
        product = install(
            extra={
                "SIGNAALWISSEL_POLICY_DIR": str(policies(tmp_path)),
                "SIGNAALWISSEL_KEY_PROVIDER": "vault",
                "SIGNAALWISSEL_VAULT_URL": stub.url,
                "SIGNAALWISSEL_VAULT_TOKEN_FILE": str(secret_file(tmp_path, "token", ROOT)),
                "SIGNAALWISSEL_VAULT_CACHE_S": "1",
                "SIGNAALWISSEL_VAULT_PATIENCE_S": "1",
            }
        )
        assert product.start("keys", "create", "0344").wait(60) == 0
        worker = product.start("worker")
        product.publish([signal("S-1", "2026-03-02")])
        product.wait_until(lambda: len(product.decisions()) == 1, "the first is decided")

        stub.sealed = True
        product.publish([signal("S-2", "2026-03-03"), signal("S-3", "2026-03-04")])
        assert worker.wait(120) == 3
        assert "HTTP 503: it is sealed" in product.logs()
        assert "nothing was written or acknowledged" in product.logs()
        assert [decision.signal_id for decision in product.decisions()] == ["S-1"]
        assert product.dead_letters() == []

        stub.sealed = False
        product.start("worker")
        product.settle()
        found = product.decisions()
        assert sorted(decision.signal_id for decision in found) == ["S-1", "S-2", "S-3"]
        assert {key_id_of(decision.sealed_subject) for decision in found} == {
            "0344/day/2026-03-02",
            "0344/day/2026-03-03",
            "0344/day/2026-03-04",
        }
        assert "111222333" not in product.logs()
