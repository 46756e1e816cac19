"""Whether what was compiled is what the sources say.

In: the checkout. Out: the modules whose sources changed after they were compiled. Python prefers a compiled module
to its source, so a stale one makes tests prove yesterday's rule.
"""

import os
import shutil
import sysconfig
from pathlib import Path

IS_COMPILED = (
    os.environ.get("SIGNAALWISSEL_PURE") != "1"
    and shutil.which(str(sysconfig.get_config_var("CC") or "cc").split()[0]) is not None
)
"""Whether `make install` compiles here: asked for, and with a compiler."""

CHECKOUT = Path(__file__).parents[1]
_FOLDERS = ("schemas", "processors", "streams")
_ENDING = ".cpython-*.so"


def stale_modules(checkout: Path = CHECKOUT) -> list[str]:
    """The compiled modules that are older than their source, or have none any more."""
    stale = []
    for folder in _FOLDERS:
        for compiled in sorted((checkout / folder).glob(f"*{_ENDING}")):
            source = compiled.with_name(f"{compiled.name.partition('.')[0]}.py")
            if source.name == "compiled__mypyc.py":
                continue
            if not source.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
                stale.append(str(source.relative_to(checkout)))
    return stale
