"""One Apicurio for the tests that ask for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from signaalwissel.deploy.cache import cache_folder
from signaalwissel.deploy.embedded_registry import embedded_registry
from signaalwissel.deploy.progress import progress_on

# So many schemas of others come first that no id of ours there is a fixed one.
_OTHERS: Final = 250


@contextmanager
def running_registry() -> Iterator[str]:
    """The URL of its Confluent API, for the length of the block."""
    server = embedded_registry(cache_folder(os.environ), progress_on(sys.__stderr__ or sys.stderr))
    with server:
        with httpx.Client(base_url=server.address) as client:
            for number in range(_OTHERS):
                schema = f'{{"type":"fixed","name":"Other","size":{number + 1}}}'
                client.post(f"/subjects/other-{number}/versions", json={"schema": schema}).raise_for_status()
        yield server.address
