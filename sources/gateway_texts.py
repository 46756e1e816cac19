"""What the OpenAPI document says in words: titles, examples and errors, for those who send."""

from collections.abc import Mapping
from typing import Any

TITLES = {
    "signalen": ("Signaal", "Meld betalingsachterstanden van inwoners."),
    "trajectgebeurtenissen": ("Trajectgebeurtenis", "Meld wat er met schuldhulptrajecten gebeurt."),
    "taakupdates": ("Taakupdate", "Meld wat er met taken van schuldhulpverleners gebeurt."),
    "toetsen": ("Toets", "Toets of een signaal naar een schuldhulpverlener zou gaan, voordat u het stuurt."),
}
"""By path: what is sent, and what the resource is for."""
EXAMPLES: Mapping[str, Any] = {
    "signalen": {
        "signal_id": "S-1",
        "municipality": "0344",
        "partner": {"partner_id": "water-west", "kind": "WATER"},
        "subject": {"bsn": "999990019"},
        "arrears": "182.40",
    },
    "trajectgebeurtenissen": {
        "event_id": "e-1",
        "trajectory_id": "T-100",
        "municipality": "0344",
        "sequence": 1,
        "occurred_on": "2024-02-01",
        "recorded_at": "2024-02-01T09:00:00Z",
        "kind": "APPLIED",
        "clients": [{"bsn": "999990019"}],
        "counsellor": {"counsellor_id": "c-7", "team": "team-oost"},
    },
    "taakupdates": {
        "update_id": "u-1",
        "task_id": "3342692522a6455b5af98c4634adb138",
        "occurred_at": "2026-03-02T10:00:00Z",
        "kind": "ACCEPTED",
        "by": "c-7",
    },
}
"""By path: a record."""
ERRORS = {
    "400": "Ongeldig: alle bevindingen tegelijk.",
    "401": "Geen geldig token of certificaat.",
    "403": "Niet toegestaan, of niet voor deze gemeente of partner.",
    "404": "De taak bestaat niet voor deze aanvrager.",
    "409": "Een verzoek met dezelfde Idempotency-Key is nog bezig.",
    "413": "Het verzoek is te groot.",
    "415": "Het formaat wordt niet ondersteund.",
    "429": "Te veel verzoeken.",
    "503": "Kafka neemt nu niets aan: probeer het later opnieuw.",
}
"""By status: what it means."""
CHECK_ERRORS = {
    "403": "Niet toegestaan, of niet voor deze gemeente.",
    "503": "Toetsen kan nu niet, of staat hier uit.",
}
"""Where a check means something else by it."""
WAITS = {"409", "429", "503"}
"""Statuses that tell when to try again."""
