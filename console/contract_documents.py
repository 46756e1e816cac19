"""`schemas asyncapi|openapi`: the contract as documents for machines, and as pages for people.

Flows in: settings. Flows out: AsyncAPI 3 of the topics, OpenAPI of the gateway, each as JSON or as one HTML file.
"""

import json
from typing import Annotated

import typer
from signaalwissel.console import environment, runtime
from signaalwissel.console.contract_pages import asyncapi_page, openapi_page
from signaalwissel.console.settings import Settings
from signaalwissel.processors import asyncapi_document
from signaalwissel.sources import gateway_document
from signaalwissel.streams.topics import layout

_NO_KAFKA = "kafka.example.nl:9093"
_NO_GATEWAY = "https://signaalwissel.example.nl"
_TLS = frozenset({"SSL", "SASL_SSL"})
_Html = Annotated[bool, typer.Option("--html", help="One HTML file that needs nothing else.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON; this is also what is printed without --html.")]


def asyncapi(*, html: _Html = False, as_json: _Json = False) -> None:
    """Print the AsyncAPI 3 document of the public topics: records, keys, headers, examples.

    It is made from the committed schemas, with the addresses, prefix and publishers of this installation where they are
    set. Nothing is asked of Kafka.

    Example: signaalwissel schemas asyncapi --html > topics.html
    """
    _one_form(html=html, as_json=as_json)
    found = asyncapi_document.document(_place(environment.settings()))
    print(asyncapi_page(found) if html else json.dumps(found, indent=2, ensure_ascii=False))


def openapi(
    *,
    html: _Html = False,
    as_json: _Json = False,
    server: Annotated[
        str, typer.Option(help="Address of the gateway, without a slash at its end.")
    ] = _NO_GATEWAY,
) -> None:
    """Print the OpenAPI document of the gateway: what it takes over HTTP, and what it answers.

    Example: signaalwissel schemas openapi --html --server https://gateway.example.nl > http.html
    """
    _one_form(html=html, as_json=as_json)
    found = gateway_document.document(server)
    print(openapi_page(found) if html else json.dumps(found, indent=2, ensure_ascii=False))


def _one_form(*, html: bool, as_json: bool) -> None:
    if html and as_json:
        raise typer.BadParameter("--html and --json exclude each other")


def _place(settings: Settings) -> asyncapi_document.Place:
    names = runtime.names(settings)
    secure = settings.kafka_bootstrap is None or settings.kafka_security_protocol in _TLS
    return asyncapi_document.Place(
        bootstrap=settings.kafka_bootstrap or _NO_KAFKA,
        secure=secure,
        prefix=settings.topic_prefix,
        publisher_topics=names.publisher_topics,
        source=settings.event_source,
        registry=settings.schema_registry_url,
        settings={names.bare(topic.name): topic.config for topic in layout(names, settings.partitions)},
    )
