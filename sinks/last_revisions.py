"""Which decision on a signal is its last: the one beside which no later revision stands.

Flows in: nothing. Flows out: a condition for statements on `decisions`. Nearly every signal has revision 0 alone, so
later ones stand in an index of their own (migration 0018), and no statement needs to sort all decisions.
"""

IS_LAST = """NOT EXISTS (
        SELECT FROM decisions AS later
        WHERE later.revision > 0 AND later.revision > decisions.revision
            AND later.municipality = decisions.municipality AND later.partner_id = decisions.partner_id
            AND later.signal_id = decisions.signal_id AND later.received_at = decisions.received_at
    )"""
"""Holds for the last revision of each delivery that is stored, whichever came before it."""
