"""The reference of a policy: keys, defaults and forms from the code, words and rules from docs/rules.md and docs/privacy.md."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from signaalwissel.processors.policy import Policy, packaged_policies

from website.settings import form_of
from website.words import DOCS, linked_from, rows

_RULE = re.compile(r"^#### (?P<number>8\.\d+) (?P<title>.+)$", re.MULTILINE)
_KEY = re.compile(r"`([a-z_.*]+?)(?:\.<\w+>)?`")


class Field(NamedTuple):
    """A key of a policy file."""

    name: str
    form: str
    default: str


def page() -> str:
    """Every key of a policy file."""
    words, rules = described(), _rules()
    told = [
        f"| `{one.name}` | {one.form} | {one.default} | {words.get(one.name, '')} | {_rule_of(one.name, rules)} |"
        for one in fields()
    ]
    return "\n".join([_HEAD, "| key | form | default | what | rule |", "|---|---|---|---|---|", *told]) + "\n"


def fields() -> Iterator[Field]:
    """Every key, section by section."""
    schema = Policy.model_json_schema()
    defaults = packaged_policies().default.model_dump(mode="json")
    yield from _below("", schema, schema["$defs"], defaults)


def _below(name: str, schema: dict[str, Any], known: dict[str, Any], defaults: Any) -> Iterator[Field]:
    for key, one in schema["properties"].items():
        whole = f"{name}.{key}".strip(".")
        inner = _resolved(one, known)
        value = defaults.get(key) if isinstance(defaults, dict) else None
        if "properties" in inner:
            yield from _below(whole, inner, known, value)
        else:
            yield Field(whole, _form(inner, known), _text(value))


def _resolved(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    for each in (schema, *schema.get("anyOf", []), *schema.get("allOf", [])):
        if "$ref" in each:
            found: dict[str, Any] = known[each["$ref"].rpartition("/")[2]]
            return found
    return schema


def _form(schema: dict[str, Any], known: dict[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"list of {form_of(_resolved(schema.get('items', {}), known))}"
    return form_of(schema)


def _text(value: Any) -> str:
    return "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def described() -> dict[str, str]:
    """What the pages say of keys."""
    found = {}
    for page_name, heading, column in (
        ("rules.md", "## Policies", 2),
        ("privacy.md", "## What only the municipality knows", 1),
    ):
        for cells in rows(page_name, heading):
            for key in _KEY.findall(cells[0]):
                found[key] = linked_from(page_name, cells[column])
    return found


def _rules() -> list[tuple[str, str]]:
    """Keys as docs/rules.md names them, `deadlines.*` too, and the heading of their rule."""
    text = (DOCS / "rules.md").read_text("utf-8")
    titles = {rule["number"]: rule["title"] for rule in _RULE.finditer(text)}
    found = []
    for cells in rows("rules.md", "### 8. The decisions"):
        if cells[0] in titles:
            anchor = re.sub(r"[^\w\s-]", "", f"{cells[0]} {titles[cells[0]]}").lower().replace(" ", "-")
            link = f"[{cells[0]}](../rules.md#{anchor})"
            found += [(key, link) for key in _KEY.findall(cells[2])]
    return found


def _rule_of(name: str, rules: list[tuple[str, str]]) -> str:
    links = [link for key, link in rules if key == name or (key.endswith("*") and name.startswith(key[:-1]))]
    return ", ".join(dict.fromkeys(links))


_HEAD = """# Policy

Made from the code. What a municipality decides for itself, in `default.toml` and one `NNNN.toml` each:
[how](../rules.md#policies). A file that breaks a bound is refused before anything starts.
"""
