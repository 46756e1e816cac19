"""The admission: only chunks of the current assignment are handled."""

from __future__ import annotations

from signaalwissel.streams.admission import Admission
from signaalwissel.streams.chunk import Chunk


def chunk(epoch: int) -> Chunk:
    return Chunk("in", 0, (), 0, 1, epoch)


def test_nothing_is_admitted_before_the_first_opening() -> None:
    admission = Admission()
    assert not admission.admits(chunk(admission.epoch))


def test_a_chunk_of_the_current_epoch_is_admitted() -> None:
    admission = Admission()
    admission.open()
    assert admission.admits(chunk(admission.epoch))


def test_a_chunk_that_a_revocation_overtook_is_refused_even_after_the_next_opening() -> None:
    admission = Admission()
    admission.open()
    late = chunk(admission.epoch)
    admission.close()
    assert not admission.admits(late)
    admission.open()
    assert not admission.admits(late)
    assert admission.admits(chunk(admission.epoch))
