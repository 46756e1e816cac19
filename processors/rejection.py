"""What a record is refused for: code, field and rule, never the value (domain 8.16, design 7)."""

from enum import StrEnum


class RejectionCode(StrEnum):
    """What is wrong with a record; stands in the header of its dead letter."""

    NULL_VALUE = "NULL_VALUE"
    NOT_WIRE_FORMAT = "NOT_WIRE_FORMAT"
    UNKNOWN_SCHEMA_ID = "UNKNOWN_SCHEMA_ID"
    UNREADABLE = "UNREADABLE"
    INVALID_FIELD = "INVALID_FIELD"
    MISSING_FIELD = "MISSING_FIELD"
    UNKNOWN_MUNICIPALITY = "UNKNOWN_MUNICIPALITY"
    PUBLISHER_NOT_ALLOWED = "PUBLISHER_NOT_ALLOWED"
    CONFLICTING_RESEND = "CONFLICTING_RESEND"
    ORPHANED_EVENT = "ORPHANED_EVENT"
    UNKNOWN_SIGNAL = "UNKNOWN_SIGNAL"
    TOO_LARGE = "TOO_LARGE"


class Rejected(ValueError):
    """A record is refused as bad input.

    Attributes:
        code: What is wrong.
        field: Path of the field, or None for the whole record.
        rule: The rule in words; holds no value of the record.
    """

    def __init__(self, code: RejectionCode, field: str | None, rule: str) -> None:
        super().__init__(f"{code}: {field or 'record'}: {rule}")
        self.code = code
        self.field = field
        self.rule = rule
