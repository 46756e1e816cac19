"""What commands share: settings, policies, publishers and keys, made once and handed on."""

import os
from pathlib import Path

from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.settings import FILE_VARIABLE, Settings, SettingsError, read_settings
from signaalwissel.processors.policy import Policies, PolicyError, load_policies, packaged_policies
from signaalwissel.processors.principals import Principals, PrincipalsError, load_principals
from signaalwissel.processors.publishers import Publishers, PublishersError, load_publishers


def settings(*, accept_loss: bool = False) -> Settings:
    """The settings of this process; UsageFailure names the variable that is wrong.

    Args:
        accept_loss: Whether the command line accepts loss; without it the setting counts.
    """
    try:
        read = read_settings(os.environ.get(FILE_VARIABLE))
    except SettingsError as error:
        raise UsageFailure(str(error)) from error
    return read.model_copy(update={"accept_loss": True}) if accept_loss else read


def policies(folder: Path | None, *, for_every_code: bool) -> Policies:
    """The policies of a folder, or the packaged default; UsageFailure names file, key and bound."""
    try:
        if folder is None:
            return packaged_policies(for_every_code=for_every_code)
        return load_policies(folder, for_every_code=for_every_code)
    except PolicyError as error:
        raise UsageFailure(str(error)) from error


def publishers(file: Path | None) -> Publishers:
    """The allow-list of the input topics; without a file every topic may speak for all."""
    if file is None:
        return Publishers()
    try:
        return load_publishers(file)
    except PublishersError as error:
        raise UsageFailure(str(error)) from error


def principals(file: Path | None) -> Principals:
    """Under which names the users of Kafka log in; without a file the defaults."""
    if file is None:
        return Principals()
    try:
        return load_principals(file)
    except PrincipalsError as error:
        raise UsageFailure(str(error)) from error
