"""`profiles`: the mapping profiles that come with the product, each with a sample of an export to try it on."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from signaalwissel.console.failures import UsageFailure
from signaalwissel.console.lines import dump
from signaalwissel.console.screen import screen
from signaalwissel.sources.profile_loading import (
    PackagedFile,
    ProfileError,
    load_profile,
    packaged_files,
    packaged_profiles,
)

profiles = typer.Typer(help="Mapping profiles of other systems' exports.", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@profiles.callback()
def _profiles() -> None:
    """Mapping profiles of other systems' exports."""


@profiles.command("list")
def list_(*, as_json: _Json = False) -> None:
    """The profiles that come with the product: name, what each reads, and what of it is assumed.

    Example: signaalwissel profiles list
    """
    found = [load_profile(name).profile for name in packaged_profiles()]
    if as_json:
        plain = [{"name": one.name, "title": one.title, "assumed": one.assumed} for one in found]
        print(dump({"profiles": plain}))
        return
    table = Table("Name", "Reads", "Assumed")
    for one in found:
        table.add_row(one.name, one.title, one.assumed)
    screen().print(table)


@profiles.command()
def sample(
    system: Annotated[
        str, typer.Argument(help="A packaged profile, such as vps; `profiles list` names them.")
    ],
    *,
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write into; made where it is missing.")
    ] = Path(),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name the files; write nothing.")] = False,
    as_json: _Json = False,
) -> None:
    """Write a profile to adapt, and a sample of an export that it reads, of residents who do not exist.

    A file that is there already stays, and nothing is written.

    Example: signaalwissel profiles sample vps --out probeer
    """
    try:
        files = packaged_files(system)
    except ProfileError as error:
        raise UsageFailure(str(error)) from error
    there = [file.name for file in files if (out / file.name).exists()]
    if there:
        raise UsageFailure(
            f"{out}: {' and '.join(there)} is there already: move it away, or give another --out"
        )
    if not dry_run:
        _write(files, out)
    profile, export = (str(out / file.name) for file in files)
    if as_json:
        print(dump({"system": system, "dry_run": dry_run, "profile": profile, "sample": export}))
    else:
        print(f"{profile} and {export} {'would be' if dry_run else 'are'} written")


def _write(files: tuple[PackagedFile, ...], out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file in files:
            with (out / file.name).open("xb") as opened:
                opened.write(file.content)
    except OSError as error:
        raise UsageFailure(f"{out}: cannot be written into: {error.strerror}") from error
