"""What blocks of the audit trail say of each row last.

Flows in: blocks. Flows out: a statement that gives of each row its digest, or that it was destroyed.
"""

from signaalwissel.processors.audit_chain import DIGEST_SIZE

CARRIED = "CARRIED"
"""Reason of a block that says again what an older one said, which is gone: any other word on the row counts for more."""


_LAST_WORDS = """
    SELECT DISTINCT ON (source, id) source, id, kind, chain, seq,
        substring(digests FROM ((place - 1) * {size} + 1)::int FOR {size}) AS digest
    FROM audit_blocks, unnest(ids) WITH ORDINALITY AS item (id, place)
    WHERE {which}
    ORDER BY source, id, reason IS NOT DISTINCT FROM '{carried}', block_id DESC, place DESC
"""


def last_words(which: str) -> str:
    """The statement, for the blocks that a condition on `audit_blocks` names."""
    # Names of ours, no values.
    return _LAST_WORDS.format(size=DIGEST_SIZE, which=which, carried=CARRIED)
