"""`privacy-statement`: the privacy texts of a municipality, from its policy alone."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import typer
from signaalwissel.console import environment, runtime
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.processors.algorithm_register import REGISTER_NEEDS, register_entry, register_page
from signaalwissel.processors.dpia_facts import DPIA_NEEDS, dpia_lines, dpia_page
from signaalwissel.processors.policy import Policy, PolicyError
from signaalwissel.processors.privacy_page import Page, as_html, as_markdown, as_plain
from signaalwissel.processors.privacy_statement import STATEMENT_NEEDS
from signaalwissel.processors.privacy_statement import privacy_statement as statement_page
from signaalwissel.processors.privacy_words import missing

# What a spreadsheet would take for a formula; a municipality chooses its own texts.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Kind(StrEnum):
    """Which text."""

    STATEMENT = "statement"
    ALGORITHM_REGISTER = "algorithm-register"
    DPIA = "dpia"


class Format(StrEnum):
    """How it is written."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    CSV = "csv"


class _Text(NamedTuple):
    """How a kind of text is made; `rows` is None for a text that is no table."""

    needs: tuple[str, ...]
    page: Callable[[Policy], Page]
    content: Callable[[Policy], Any]
    rows: Callable[[Policy], Iterable[Mapping[str, Any]]] | None


_TEXTS = {
    Kind.STATEMENT: _Text(
        STATEMENT_NEEDS, statement_page, lambda policy: as_plain(statement_page(policy)), None
    ),
    Kind.ALGORITHM_REGISTER: _Text(
        REGISTER_NEEDS, register_page, register_entry, lambda policy: [register_entry(policy)]
    ),
    Kind.DPIA: _Text(DPIA_NEEDS, dpia_page, lambda policy: list(dpia_lines(policy)), dpia_lines),
}


def privacy_statement(
    municipality: Annotated[str, typer.Option(help="Four digits, like 0344.")],
    kind: Annotated[Kind, typer.Option(help="Which text.")] = Kind.STATEMENT,
    form: Annotated[Format, typer.Option("--format", help="CSV not for the statement.")] = Format.MARKDOWN,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Mark what is missing instead of refusing.")] = False,
) -> None:
    """Write the privacy statement, the entry for the Algoritmeregister, or the facts for a DPIA, in Dutch.

    Everything comes from the municipality's policy. What only the municipality knows stands in its [privacy] section;
    while something is missing there, only --draft writes the text, with marks.

    Example: signaalwissel privacy-statement --municipality 0344 --format html
    """
    policy = _policy(municipality)
    text = _TEXTS[kind]
    open_keys = missing(policy.privacy, text.needs)
    if open_keys and not draft:
        raise UsageFailure(
            f"municipality {municipality}: the policy lacks {', '.join(open_keys)}; "
            f"add them to [privacy] in {municipality}.toml, or use --draft to see the text with marks"
        )
    typer.echo(_written(text, Format.JSON if as_json else form, policy, municipality), nl=False)


def _policy(municipality: str) -> Policy:
    try:
        return runtime.policies(environment.settings())[municipality]
    except PolicyError as error:
        raise UsageFailure(str(error)) from error


def _written(text: _Text, form: Format, policy: Policy, municipality: str) -> str:
    match form:
        case Format.MARKDOWN:
            return as_markdown(text.page(policy))
        case Format.HTML:
            return as_html(text.page(policy))
        case Format.JSON:
            about = {"municipality": municipality, "policy_version": policy.version}
            lacking = {"missing": list(missing(policy.privacy, text.needs))}
            return dump(about | lacking | {"content": text.content(policy)}) + "\n"
        case Format.CSV:
            if text.rows is None:
                raise UsageFailure("--format csv: the statement is no table; choose markdown, html or json")
            return _csv(list(text.rows(policy)))


def _csv(rows: list[Mapping[str, Any]]) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return written.getvalue()


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else dump(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
