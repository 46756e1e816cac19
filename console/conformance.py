"""`conformance`: cases that a sender's system plays on a test topic, held against the contract.

Flows in: a topic, cases. Flows out: a verdict per case, as text, JSON lines or JUnit's XML.
"""

import time
from functools import partial
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree as ET

import typer
from signaalwissel.console import environment, runtime
from signaalwissel.console.failures import Exit, UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.settings import Settings
from signaalwissel.console.topic_reading import looking_at, wire_record
from signaalwissel.processors.conformance import (
    Case,
    CasesUnusable,
    Placed,
    Report,
    Status,
    Verdict,
    load_cases,
    packaged_cases,
    report_of,
    whole,
)
from signaalwissel.processors.policy import Policies
from signaalwissel.processors.simulation_lines import RECORDS
from signaalwissel.processors.wire_findings import look_at
from signaalwissel.streams.outputs import partition_of

_MOST = 10_000
_MOST_OF_ALL = 1_000_000
_AGAIN_S = 1.0
_SIGNS = {Status.PASSED: "pass", Status.FAILED: "FAIL", Status.MISSING: "MISS"}


def conformance(
    topic: Annotated[
        str | None, typer.Argument(help="The topic on which the sender's system played the cases.")
    ] = None,
    *,
    as_topic: Annotated[
        str | None,
        typer.Option("--as", metavar="TOPIC", help="What is on it: signals, trajectories or task-updates."),
    ] = None,
    cases: Annotated[
        Path | None, typer.Option(help="A file of cases; those of the product otherwise.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="CASE", help="Only this case; may be repeated.")
    ] = None,
    show: Annotated[
        bool,
        typer.Option("--list", help="Show the cases: what there is in the sender's system, and its record."),
    ] = False,
    most: Annotated[
        int,
        typer.Option("--max", min=1, max=_MOST_OF_ALL, help="How many of the newest records are looked at."),
    ] = _MOST,
    wait_s: Annotated[
        int, typer.Option("--wait", min=0, max=3600, help="Seconds to look again while cases are missing.")
    ] = 0,
    junit: Annotated[Path | None, typer.Option(help="Write the report as JUnit's XML too.")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Folder with policies; the packaged default otherwise.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Hold what a sender's system published for a set of cases against the contract.

    The sender's test system gets the situations of `--list` and publishes to a test topic of its own; this command reads
    that topic, finds the records by their number, and looks at wire format, schema id, key, partition, headers and every
    field. It writes nothing to Kafka. Ends with 0 when every case passed, with 1 when one failed or is missing, with 3
    when Kafka is away.

    Examples: signaalwissel conformance --list --as signals; signaalwissel conformance water-west-test --as signals
    --junit report.xml
    """
    chosen = _chosen(topic, as_topic, cases, only or [])
    if show:
        _show(chosen, as_json=as_json)
        raise typer.Exit(Exit.DONE)
    if topic is None:
        raise UsageFailure("give the topic on which the cases were played, or --list to see them")
    settings = environment.settings()
    policies = environment.policies(policy, for_every_code=True)
    # Without --as it is a topic of ours; a topic of any other name is given as the broker has it.
    name = topic if as_topic else runtime.names(settings)(topic)
    report = _played(settings, name, chosen, policies, most)
    ends = time.monotonic() + wait_s
    while _waits_for_more(report) and time.monotonic() < ends:
        time.sleep(_AGAIN_S)
        report = _played(settings, name, chosen, policies, most)
    if junit is not None:
        _write(junit, report, name)
    for line in _lines(report, as_json=as_json):
        print(line)
    raise typer.Exit(Exit.DONE if report.passed else Exit.FINDINGS)


def junit_xml(report: Report, topic: str) -> bytes:
    """The report as JUnit's XML: a missing case is a failure, as a build must not pass without it."""
    failed = sum(verdict.status is not Status.PASSED for verdict in report.verdicts)
    counts = {"tests": str(len(report.verdicts)), "failures": str(failed), "errors": "0", "skipped": "0"}
    suites = ET.Element("testsuites", {"name": "signaalwissel conformance", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": topic, **counts})
    for verdict in report.verdicts:
        case = ET.SubElement(suite, "testcase", {"classname": topic, "name": verdict.case_id})
        if verdict.status is not Status.PASSED:
            told = {"type": verdict.status.value, "message": verdict.failures[0]}
            ET.SubElement(case, "failure", told).text = "\n".join((verdict.title, *verdict.failures))
    return bytes(ET.tostring(suites, encoding="utf-8", xml_declaration=True))


def _chosen(topic: str | None, as_topic: str | None, file: Path | None, only: list[str]) -> list[Case]:
    try:
        found = packaged_cases() if file is None else load_cases(file)
    except CasesUnusable as error:
        raise UsageFailure(str(error)) from error
    kind = as_topic or (topic or "").partition(".")[0]
    if kind and kind not in RECORDS:
        raise UsageFailure(f"{kind}: say what is on the topic: --as {', --as '.join(RECORDS)}")
    found = [case for case in found if not kind or case.topic == kind]
    unknown = sorted(set(only) - {case.id for case in found})
    if unknown:
        raise UsageFailure(f"no such case: {', '.join(unknown)}; see `signaalwissel conformance --list`")
    found = [case for case in found if not only or case.id in only]
    if not found:
        raise UsageFailure(f"there is no case for {kind}")
    return found


def _played(settings: Settings, topic: str, cases: list[Case], policies: Policies, most: int) -> Report:
    rules = cases[0].topic
    with looking_at(settings, topic, most) as looked_at:
        chooses = partial(partition_of, count=looked_at.partitions)
        return report_of(
            cases,
            (
                Placed(
                    f"{topic}[{record.partition}]@{record.offset}",
                    look_at(rules, wire_record(record), policies, chooses),
                )
                for record in looked_at.records
            ),
        )


def _waits_for_more(report: Report) -> bool:
    return any(verdict.status is Status.MISSING for verdict in report.verdicts)


def _show(cases: list[Case], *, as_json: bool) -> None:
    for case in cases:
        if as_json:
            print(dump({"topic": case.topic, "value": whole(case), "case": case.id, "times": case.times}))
        else:
            times = "" if case.times == 1 else f" ({case.times} times)"
            print(f"{case.id}: {case.title}{times}\n  {case.situation}\n  {dump(case.record)}")
            if case.free:
                print(f"  of your own choice: {', '.join(case.free)}")


def _lines(report: Report, *, as_json: bool) -> list[str]:
    if as_json:
        return [dump(_plain(verdict)) for verdict in report.verdicts]
    width = max(len(verdict.case_id) for verdict in report.verdicts)
    found = []
    for verdict in report.verdicts:
        found.append(f"{_SIGNS[verdict.status]}  {verdict.case_id:<{width}}  {verdict.title}")
        found += [f"      {failure}" for failure in verdict.failures]
    passed = sum(verdict.status is Status.PASSED for verdict in report.verdicts)
    found.append(f"{passed} of {len(report.verdicts)} passed; {report.records} records looked at")
    return found


def _plain(verdict: Verdict) -> dict[str, object]:
    return {
        "case": verdict.case_id,
        "title": verdict.title,
        "status": verdict.status.value,
        "failures": list(verdict.failures),
    }


def _write(file: Path, report: Report, topic: str) -> None:
    try:
        file.write_bytes(junit_xml(report, topic))
    except OSError as error:
        raise UsageFailure(f"{file}: cannot be written: {error.strerror}") from error
