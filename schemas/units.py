"""Units of the numbers in the contract, so that a signature says what it holds."""

from typing import TypeAlias

Cents: TypeAlias = int
"""Euro cents: the unscaled value of a decimal(12,2)."""

Millis: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00Z: a timestamp-millis."""
