"""`make audit`: known vulnerabilities of everything locked.

Flows in: requirements.lock, and the answers of a vulnerability service. Flows out: a report and an exit code: 0 none
known, 1 some known, 3 the service did not answer for every package, so nothing is audited.

pip-audit alone ends well when the service knows none of the packages; here that is a service that is away.
`make check` asks too, with `--unless-away`: what is known fails it, and a machine without internet is told that nothing
was audited. SIGNAALWISSEL_AUDIT_SERVICE is `pypi` (default), `osv`, or the URL of a service that speaks OSV's query API.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.supply.locked import LOCK, locked

DONE, FINDINGS, AWAY = 0, 1, 3
_SERVICES = {"pypi": ("--vulnerability-service", "pypi"), "osv": ("--vulnerability-service", "osv")}
_BOUND_S = 900


def audit(lock: Path, service: str) -> tuple[int, str]:
    """Exit code and report of an audit.

    Args:
        lock: The lock file, with hashes; nothing is resolved or downloaded.
        service: `pypi`, `osv` or a URL.
    """
    chosen = _SERVICES.get(service, ("--vulnerability-service", "osv", "--osv-url", service))
    asked = ("--require-hashes", "--disable-pip", "--requirement", str(lock), "--timeout", "15")
    shown = ("--format", "json", "--progress-spinner", "off")
    command = [sys.executable, "-m", "pip_audit", *chosen, *asked, *shown]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_BOUND_S)
    try:
        dependencies = json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (ended.stderr.strip().splitlines() or ["no output"])[-1]
        return AWAY, f"{_away(service)}\n{last}"
    return _judged(dependencies, service)


def _judged(dependencies: list[dict[str, object]], service: str) -> tuple[int, str]:
    skipped = [str(found["name"]) for found in dependencies if "skip_reason" in found]
    known = [
        f"{found['name']} {found['version']}: {vulnerability['id']}; mended in: {_mended(vulnerability)}"
        for found in dependencies
        for vulnerability in _vulnerabilities(found)
    ]
    if known:
        return FINDINGS, "\n".join([*known, *([_unanswered(skipped, service)] if skipped else [])])
    if skipped or not dependencies:
        return AWAY, _unanswered(skipped, service)
    return DONE, f"{len(dependencies)} packages, no known vulnerability"


def _vulnerabilities(found: dict[str, object]) -> list[dict[str, object]]:
    listed = found.get("vulns", [])
    return listed if isinstance(listed, list) else []


def _mended(vulnerability: dict[str, object]) -> str:
    versions = vulnerability.get("fix_versions")
    return ", ".join(map(str, versions)) if isinstance(versions, list) and versions else "no version yet"


def _unanswered(skipped: list[str], service: str) -> str:
    return f"{_away(service)}\n{len(skipped)} packages without an answer, such as: {', '.join(skipped[:3])}"


def _away(service: str) -> str:
    return (
        f"vulnerability service {service}: did not answer, so nothing is audited. Run it where the service can be "
        "reached, or name another one in SIGNAALWISSEL_AUDIT_SERVICE."
    )


def main(arguments: list[str], lock: Path = LOCK) -> int:
    """Audit the lock; with `--unless-away` a service that is away is told, and fails nothing."""
    print(f"asking about {len(locked(lock.read_text('utf-8')))} packages", file=sys.stderr)
    code, report = audit(lock, os.environ.get("SIGNAALWISSEL_AUDIT_SERVICE", "pypi"))
    print(report)
    if code == AWAY and arguments == ["--unless-away"]:
        print(
            "NOT AUDITED. The rest of the checks counts; run `make audit` where the service can be reached."
        )
        return DONE
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
