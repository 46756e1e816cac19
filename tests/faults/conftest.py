"""The fault tests run installations as the system tests do."""

from tests.system.conftest import install

__all__ = ["install"]
