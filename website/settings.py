"""The reference of settings: form, default and bounds from the code, words from docs/operations.md."""

from typing import Any

from signaalwissel.console.settings import Settings

from website.words import linked_from, names_in, rows

PREFIX = "SIGNAALWISSEL_"
_PAGE = "operations.md"


def page() -> str:
    """Every setting."""
    words = described()
    schema = Settings.model_json_schema()["properties"]
    told = [
        f"| `{name}` | {form_of(schema[name.removeprefix(PREFIX).lower()])} | {default_of(name)} | {words[name]} |"
        for name in names()
    ]
    return "\n".join([_HEAD, "| variable | form | default | what |", "|---|---|---|---|", *told]) + "\n"


def names() -> list[str]:
    """The variables that the program knows."""
    return sorted(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)


def described() -> dict[str, str]:
    """What docs/operations.md says of each."""
    known = names()
    return {
        name: linked_from(_PAGE, cells[2])
        for cells in rows(_PAGE, "## Settings")
        if cells[0].startswith("`")
        for name in names_in(cells[0], known)
    }


def default_of(name: str) -> str:
    """The default, empty where there is none."""
    default = Settings.model_fields[name.removeprefix(PREFIX).lower()].default
    if default in (None, ""):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def form_of(schema: dict[str, Any]) -> str:
    """A JSON schema of one value in words."""
    one = next((each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"), schema)
    if "enum" in one:
        return " or ".join(f"`{each}`" for each in one["enum"])
    pattern = str(one.get("pattern", ""))
    if pattern.startswith("^(") and pattern.endswith(")$") and not set("[*+") & set(pattern):
        return " or ".join(f"`{each}`" for each in pattern[2:-2].split("|"))
    kind = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`"}.get(
        one.get("type", "")
    )
    if kind is None:
        kind = {"path": "path", "password": "secret text"}.get(one.get("format", ""), "text")
    low, high = one.get("minimum"), one.get("maximum")
    if low is not None and high is not None:
        return f"{kind}, {low} to {high}"
    return kind


_HEAD = """# Settings

Made from the code. Environment variables, or the same names in a TOML file: [how](../operations.md#settings).
`signaalwissel config show` prints what is in force.
"""
