"""What a stored field can say of a person, in the words of the DPIA facts.

In: nothing. Out: the natures that `privacy_records` and `privacy_tables` give to fields, and their Dutch.
"""

from enum import Enum


class Nature(Enum):
    """What a field says of a person; the value is how the DPIA facts sheet calls it."""

    IDENTIFYING = "rechtstreeks herkenbaar"
    PSEUDONYM = "pseudoniem (sleutel nodig)"
    SEALED = "versleuteld"
    REFERENCE = "nummer van een dossier, melding of taak"
    ABOUT = "gegeven over een persoon"
    STAFF = "gegeven over een medewerker"
    NOT_PERSONAL = "geen persoonsgegeven"

    @property
    def personal(self) -> bool:
        """Whether the field is personal data; a pseudonym is, also for who has no key."""
        return self is not Nature.NOT_PERSONAL
