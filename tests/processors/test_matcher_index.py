"""The matcher's index: what lies at which match key, few or many."""

from hypothesis import given
from hypothesis import strategies as st
from signaalwissel.processors.matcher_index import MATCH_KEY_SIZE, MatcherIndex

KEY = b"k" * MATCH_KEY_SIZE
MANY = 2_000


class Compared(bytes):
    """A ref that counts how often one is compared with another."""

    times = 0

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return bytes.__eq__(self, other)  # type: ignore[arg-type]

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = bytes.__hash__


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 24)), max_size=80))
def test_it_holds_what_came_and_did_not_go_in_the_order_of_coming(steps: list[tuple[bool, int]]) -> None:
    index, model = MatcherIndex(), list[bytes]()
    for comes, number in steps:
        ref = bytes([number])
        if comes and ref not in model:
            index.add_ref(KEY, ref)
            index.add_entry(KEY + ref)
            model.append(ref)
        elif not comes and ref in model:
            index.drop_ref(KEY, ref)
            index.drop_entry(KEY + ref)
            model.remove(ref)
        assert index.refs_at(KEY) == tuple(model)
        assert index.entries_at(KEY) == tuple(KEY + ref for ref in model)
        assert list(index.match_keys()) == ([KEY] if model else [])


def test_a_signal_at_a_busy_key_goes_without_a_look_at_all_the_others() -> None:
    index = MatcherIndex()
    refs = [Compared(number.to_bytes(16, "big")) for number in range(MANY)]
    for ref in refs:
        index.add_ref(KEY, ref)
    Compared.times = 0
    for ref in refs:
        index.drop_ref(KEY, ref)
    assert Compared.times < 10 * MANY
    assert list(index.match_keys()) == []


def test_what_is_walked_over_may_be_dropped_meanwhile() -> None:
    index = MatcherIndex()
    for number in range(MANY):
        index.add_ref(KEY, number.to_bytes(16, "big"))
    for ref in index.refs_at(KEY):
        index.drop_ref(KEY, ref)
    assert index.refs_at(KEY) == ()
