"""How a command fails: exit codes and the one place that turns errors into them (design 8).

0 done, 1 findings, 2 usage, 3 a service is away, 4 stuck. A bug of ours is none of these: it ends with its traceback.
"""

from enum import IntEnum


class Exit(IntEnum):
    """What a command ends with."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    UNAVAILABLE = 3
    STUCK = 4


class CommandFailure(Exception):
    """A command cannot do what was asked; the text says why and what to do."""

    exit_code = Exit.USAGE


class UsageFailure(CommandFailure):
    """What was asked cannot be: an argument, a file or a setting is wrong."""


class ServiceAway(CommandFailure):
    """A service that is needed does not answer."""

    exit_code = Exit.UNAVAILABLE
