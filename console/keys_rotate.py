"""`keys rotate`: another secret behind a municipality's match keys, without stopping (design 7, ADR 8)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from signaalwissel.console import environment, key_service
from signaalwissel.console.connections import reader
from signaalwissel.console.failures import ServiceAway, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.rotating import Rotating, RotationResult
from signaalwissel.console.rotation_words import next_of, told_of
from signaalwissel.processors.rotation_plan import RotationStage
from signaalwissel.processors.sealing import KeyUnavailable


def rotate(
    municipality: Annotated[str, typer.Argument(help="Four digits.")],
    *,
    only_go_on: Annotated[
        bool, typer.Option("--continue", help="Go on with what is under way; begin nothing. For a daily job.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Show how far it is; change nothing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Replace the secret behind a municipality's match keys while everything runs.

    Begins a rotation, or goes on with the one that is under way, as far as it goes now. It waits while signals under
    the old secret can still be corrected: run it again with --continue, every day if you like. At the end the old
    secret is destroyed. It may be ended at any moment and run again.

    Example: signaalwissel keys rotate 0344
    """
    with _rotating(municipality) as rotating:
        state = rotating.look.state()
        begins = state.stage is RotationStage.NONE and not only_go_on
        if status or dry_run:
            correcting = state.stage is RotationStage.CORRECTING
            left = rotating.look.correctable(state.old) if correcting else None
            result = RotationResult(state, left)
        else:
            if begins:
                rotating.begin(state)
            result = rotating.go_on()
    _show(result, begins=begins and dry_run, as_json=as_json)


@contextmanager
def _rotating(municipality: str) -> Iterator[Rotating]:
    settings = environment.settings()
    try:
        keys = key_service.provider(settings)
        if not keys.knows(municipality):
            raise UsageFailure(
                f"municipality {municipality} has no keys: there is nothing to rotate. See `signaalwissel keys create`"
            )
        with reader(settings) as consumer:
            yield Rotating(settings, consumer, keys, municipality, _tell)
    except KeyUnavailable as error:
        raise ServiceAway(str(error)) from error


def _tell(text: str) -> None:
    # Also without a terminal: each is a step that an operator looks for in the log of a daily job.
    print(text, file=sys.stderr)


def _show(result: RotationResult, *, begins: bool, as_json: bool) -> None:
    state, left = result
    told, next_ = told_of(state, left), next_of(state, left, begins=begins)
    if not as_json:
        print(f"municipality {state.municipality}: {told}\n{next_}")
        return
    under_way = state.stage is not RotationStage.NONE
    print(
        dump(
            {
                "municipality": state.municipality,
                "stage": state.stage,
                "old": state.old if under_way else None,
                "new": state.new,
                "correctable": None if left is None else left.signals,
                "correctable_until": None if left is None or left.until is None else left.until.isoformat(),
                "found": told,
                "next": next_,
            }
        )
    )
