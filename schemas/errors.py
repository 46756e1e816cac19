"""What a record can be rejected for while it is still bytes or JSON: field and rule, never the value."""


class DoesNotFit(ValueError):
    """A value does not fit its schema.

    Attributes:
        field: Path of the field, like `subject.birth_date` or `clients[1].bsn`; empty for the whole record.
        rule: The rule that it breaks, in words.
    """

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field or 'record'}: {rule}")
        self.field = field
        self.rule = rule

    def within(self, parent: str) -> "DoesNotFit":
        """The same finding seen from the record that holds `parent`."""
        separator = "" if not self.field or self.field.startswith("[") else "."
        return DoesNotFit(f"{parent}{separator}{self.field}", self.rule)


class NotWireFormat(ValueError):
    """The bytes do not start with magic byte 0 and a four-byte schema id."""


class UnknownSchemaId(ValueError):
    """No schema of ours has this id, or one of another record was expected."""

    def __init__(self, schema_id: int, expected: str = "") -> None:
        super().__init__(f"schema id {schema_id} is not {'one of ' + expected if expected else 'known'}")
        self.schema_id = schema_id
