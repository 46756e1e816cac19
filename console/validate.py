"""`validate`: what would be refused, record by record, without deciding anything."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from signaalwissel.console import environment, runtime
from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.lines import dump, reading
from signaalwissel.console.progress import counted, progress_of
from signaalwissel.console.topic_reading import looking_at, wire_record
from signaalwissel.processors.contract_topics import RECORD_ON
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.simulation_lines import UnknownTopic, findings_in
from signaalwissel.processors.wire_findings import Looked, look_at
from signaalwissel.streams.outputs import partition_of

_MOST = 1000
_MOST_OF_ALL = 1_000_000


def validate(
    given: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|TOPIC",
            help="JSON lines with topic and value (- reads standard input), or a topic on Kafka.",
        ),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON lines.")] = False,
    policy: Annotated[
        Path | None, typer.Option(help="Folder with policies; the packaged default otherwise.")
    ] = None,
    as_topic: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="TOPIC", help="A topic of any name, held against the rules of this one."
        ),
    ] = None,
    most: Annotated[
        int,
        typer.Option("--max", min=1, max=_MOST_OF_ALL, help="Of a topic: how many of its newest records."),
    ] = _MOST,
) -> None:
    """Check every record on its own: schema, form of the fields, what its kind requires.

    A file holds records in JSON. On a topic, a public one or with --as any other, the bytes are looked at too: wire
    format, schema id, key, partition and headers. What depends on other records (the same signal again, an event without
    its application) is for `simulate`. Findings never hold a value of a record. Ends with 1 when something would be
    refused or, on a topic, breaks the contract otherwise; with 3 when Kafka is away.

    Examples: signaalwissel validate month.jsonl; signaalwissel validate signals --max 100; signaalwissel validate
    water-west-test --as signals
    """
    policies = environment.policies(policy, for_every_code=True)
    if as_topic is None and (str(given) == "-" or given.exists()):
        found = _file(given, policies, as_json=as_json)
    else:
        found = _topic(str(given), as_topic, most, policies, as_json=as_json)
    raise typer.Exit(Exit.FINDINGS if found else Exit.DONE)


def _file(file: Path, policies: Policies, *, as_json: bool) -> int:
    checked = found = 0
    with reading(file) as lines, progress_of(file, quiet=as_json) as advance:
        for line in lines:
            checked += 1
            advance()
            try:
                refusal = findings_in(line.content, policies)
            except UnknownTopic as error:
                raise UsageFailure(f"{file}:{line.number}: {error}") from error
            if refusal is not None:
                found += 1
                value: dict[str, Any] = {"line": line.number, **refusal.line()["value"]}
                print(dump(value) if as_json else _text(f"line {line.number}: {value['topic']}", value))
    if not as_json:
        print(f"{checked} records checked, {found} would be refused")
    return found


def _topic(given: str, as_topic: str | None, most: int, policies: Policies, *, as_json: bool) -> int:
    settings = environment.settings()
    names = runtime.names(settings)
    rules = as_topic or names.bare(given)
    if rules.partition(".")[0] not in RECORD_ON:
        raise UsageFailure(
            f"{given}: there is no such file, and no public topic of this name; they are {', '.join(RECORD_ON)}."
            " For another topic say what is on it: --as signals"
        )
    checked = refused = otherwise = 0
    with looking_at(settings, given if as_topic else names(rules), most) as topic:
        for record in counted(topic.records, "records", quiet=as_json):
            checked += 1
            looked = look_at(
                rules, wire_record(record), policies, partial(partition_of, count=topic.partitions)
            )
            refused += looked.refused
            otherwise += bool(looked.findings) and not looked.refused
            for value in _told(topic.name, record.partition, record.offset, looked):
                print(
                    dump(value)
                    if as_json
                    else _text(f"{topic.name}[{record.partition}]@{record.offset}", value)
                )
    if not as_json:
        print(
            f"{checked} records checked, {refused} would be refused, {otherwise} more break the contract otherwise"
        )
    return refused + otherwise


def _told(topic: str, partition: int, offset: int, looked: Looked) -> list[dict[str, Any]]:
    place = {"topic": topic, "partition": partition, "offset": offset}
    return [{**place, **looked.about._asdict(), **finding._asdict()} for finding in looked.findings]


def _text(where: str, value: dict[str, Any]) -> str:
    record = value["record_id"] or "record without id"
    return f"{where} {record}: {value['field'] or 'record'}: {value['rule']}"
