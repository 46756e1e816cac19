"""What `doctor` looks at on this machine: settings, policies, keys."""

import stat
from collections.abc import Iterator
from pathlib import Path

from signaalwissel.console import key_service, runtime
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.findings import Finding, away, fine, listed, wrong
from signaalwissel.console.settings import Settings
from signaalwissel.processors import matcher
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.local_keys import LocalKeys

_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NEEDED = ("kafka_bootstrap", "database_url")
_NOBODY = "0000"
_NEEDED_FOR_KEYS = {"local": "key_dir", "vault": "vault_url"}


def check_files(settings: Settings) -> Iterator[Finding]:
    """Look at what needs no service but that of the keys."""
    yield _program()
    yield _settings(settings)
    try:
        policies = runtime.policies(settings)
    except UsageFailure as failure:
        yield wrong("policies", str(failure), "mend the file that it names")
        return
    yield fine("policies", _described(settings, policies))
    if settings.key_provider == "vault":
        yield _key_service(settings, policies)
    elif settings.key_dir is not None:
        yield from _keys(settings, settings.key_dir, policies)


def _program() -> Finding:
    if str(matcher.__file__).endswith(".py"):
        return fine(
            "program", "runs as Python, at twice the CPU per signal; installed with a C compiler it is faster"
        )
    return fine("program", "the hot modules are compiled")


def _settings(settings: Settings) -> Finding:
    needed = (*_NEEDED, _NEEDED_FOR_KEYS[settings.key_provider])
    missing = [f"SIGNAALWISSEL_{name.upper()}" for name in needed if getattr(settings, name) is None]
    if not missing:
        return fine("settings", "everything that is needed is set")
    return wrong(
        "settings",
        f"not set: {', '.join(missing)}",
        "set them in the environment or in the file of SIGNAALWISSEL_CONFIG; see `signaalwissel config show`",
    )


def _described(settings: Settings, policies: Policies) -> str:
    count = len(list(policies))
    if settings.every_municipality:
        return f"{count} municipalities have their own; every other code gets the default policy"
    return f"{count} municipalities have one"


def _key_service(settings: Settings, policies: Policies) -> Finding:
    try:
        keys = key_service.provider(settings)
        with_policy = set(policies)
        # Asks about a code that nobody has where there is none, so that the service is always asked something.
        with_keys = {code for code in with_policy or {_NOBODY} if keys.knows(code)}
        for code in sorted(with_keys)[:1]:
            # To see a key and to use one are two rights.
            keys.identity_key(code)
        return _pairs(settings, with_keys, with_policy)
    except UsageFailure as failure:
        return wrong("keys", str(failure), "mend the setting that it names")
    except KeyUnavailable as error:
        fix = "start the key service, or mend SIGNAALWISSEL_VAULT_*; until then worker and sink stop and write nothing"
        return away("keys", str(error), fix)


def _keys(settings: Settings, folder: Path, policies: Policies) -> Iterator[Finding]:
    if not folder.is_dir():
        if settings.every_municipality:
            yield fine("keys", f"{folder} is made with the first record")
            return
        yield wrong("keys", f"{folder} is not there", "run `signaalwissel keys create` for each municipality")
        return
    yield _pairs(settings, set(LocalKeys(folder).municipalities()), set(policies))
    yield _modes(folder)


def _pairs(settings: Settings, with_keys: set[str], with_policy: set[str]) -> Finding:
    """A code needs both: with one of them alone its records become dead letters (design 6)."""
    keyless, lawless = sorted(with_policy - with_keys), sorted(with_keys - with_policy)
    if settings.every_municipality:
        return fine(
            "keys", f"{len(with_keys)} municipalities have keys; every other code gets them when needed"
        )
    if keyless:
        return wrong(
            "keys",
            f"a policy but no keys: {listed(keyless)}",
            "run `signaalwissel keys create` for each, or put back the keys that they had",
        )
    if lawless:
        return wrong(
            "keys",
            f"keys but no policy: {listed(lawless)}",
            "add NNNN.toml for each to the folder of SIGNAALWISSEL_POLICY_DIR",
        )
    if not with_policy:
        return wrong(
            "keys",
            "no municipality has a policy and keys, so every record is refused",
            "add NNNN.toml to the folder of SIGNAALWISSEL_POLICY_DIR and run `signaalwissel keys create NNNN`",
        )
    return fine("keys", f"{len(with_keys)} municipalities have keys and policy")


def _modes(folder: Path) -> Finding:
    try:
        too_open = [
            str(path)
            for path in (folder, *sorted(folder.rglob("*")))
            if path.stat().st_mode & _OPEN_TO_OTHERS
        ]
    except OSError as error:
        return wrong(
            "key files", f"{error.filename}: {error.strerror}", "run this as the user who owns the keys"
        )
    if too_open:
        return wrong(
            "key files",
            f"others can get at {listed(too_open)}",
            f"run `chmod -R go= {folder}`, and rotate the keys if somebody may have read them",
        )
    return fine("key files", "only their owner can read them")
