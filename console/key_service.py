"""The key provider that the settings name: files of this machine, or a Vault or OpenBao.

Flows in: settings. Flows out: a provider, or a failure that names the setting or the service.
"""

from typing import TypeVar

from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.settings import Settings
from signaalwissel.processors.sealing import KeyUnavailable
from signaalwissel.security.local_keys import LocalKeys
from signaalwissel.security.vault_http import VaultRequests
from signaalwissel.security.vault_keys import VaultKeys
from signaalwissel.security.vault_settings import (
    AppRole,
    Kubernetes,
    Login,
    TokenFile,
    VaultSettings,
    VaultUnusable,
)

_Value = TypeVar("_Value")


def provider(settings: Settings) -> LocalKeys | VaultKeys:
    """The key provider; UsageFailure where a setting that it needs is missing or wrong."""
    if settings.key_provider == "vault":
        return _vault(settings)
    if settings.key_dir is None:
        raise UsageFailure("SIGNAALWISSEL_KEY_DIR is not set: give the folder of the keys")
    return LocalKeys(settings.key_dir, create_municipalities=settings.every_municipality)


def answering(settings: Settings) -> LocalKeys | VaultKeys:
    """The key provider, once it has answered; ServiceAway where it does not.

    For processes that run on: they must not read a record before they can seal one.
    """
    found = provider(settings)
    if isinstance(found, VaultKeys):
        try:
            found.system_key()
        except KeyUnavailable as error:
            raise ServiceAway(str(error)) from error
    return found


def _vault(settings: Settings) -> VaultKeys:
    if settings.every_municipality:
        raise UsageFailure(
            "SIGNAALWISSEL_EVERY_MUNICIPALITY is for trying out, with SIGNAALWISSEL_KEY_PROVIDER=local:"
            " in a key service only `signaalwissel keys create` makes a municipality's keys"
        )
    try:
        chosen = VaultSettings(
            url=_needed(settings.vault_url, "VAULT_URL"),
            login=_login(settings),
            mount=settings.vault_mount,
            namespace=settings.vault_namespace,
            ca_file=settings.vault_ca_file,
            timeout_s=settings.vault_timeout_s,
            patience_s=settings.vault_patience_s,
            kept_s=settings.vault_cache_s,
        )
        return VaultKeys(chosen, VaultRequests(chosen))
    except VaultUnusable as error:
        raise UsageFailure(f"SIGNAALWISSEL_{error}") from error


def _login(settings: Settings) -> Login:
    if settings.vault_auth == "approle":
        role, secret = settings.vault_role, settings.vault_secret_id_file
        return AppRole(
            _needed(role, "VAULT_ROLE"),
            _needed(secret, "VAULT_SECRET_ID_FILE"),
            settings.vault_auth_mount or "approle",
        )
    if settings.vault_auth == "kubernetes":
        role, mount = settings.vault_role, settings.vault_auth_mount
        return Kubernetes(_needed(role, "VAULT_ROLE"), settings.vault_jwt_file, mount or "kubernetes")
    return TokenFile(_needed(settings.vault_token_file, "VAULT_TOKEN_FILE"))


def _needed(value: _Value | None, name: str) -> _Value:
    if value is None:
        raise UsageFailure(f"SIGNAALWISSEL_{name} is not set: the key service needs it")
    return value
