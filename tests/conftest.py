"""What every test may ask for: one broker and one PostgreSQL per run, and a corner of its own on each."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator

import pytest
from signaalwissel.deploy.databases import fresh_database
from signaalwissel.deploy.platform import Platform
from signaalwissel.deploy.platform import platform as running_platform
from signaalwissel.deploy.progress import progress_on
from signaalwissel.deploy.settings import PlatformSettings
from signaalwissel.sinks.database import migrate

from tests.compiled import stale_modules
from tests.deploy.registry_support import running_registry

_LONG = (
    "tests/test_oracle_agrees.py",
    "tests/test_packaging.py",
    "tests/faults/",
    "tests/system/",
    "tests/privacy/",
    "tests/samples/",
)
"""Files that take a minute or so each: begun last, one of them would keep a process busy while the other has nothing left."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


def pytest_configure() -> None:
    """Refuse to test what was compiled from other sources than these."""
    if stale := stale_modules():
        raise pytest.UsageError(f"compiled before they were changed, run `make install`: {', '.join(stale)}")


@pytest.fixture(scope="session")
def platform_settings() -> PlatformSettings:
    """Where this run's servers come from."""
    return PlatformSettings.from_environment(os.environ)


@pytest.fixture(scope="session")
def platform(platform_settings: PlatformSettings) -> Iterator[Platform]:
    """Both servers; they start with the first test that asks and end with the run."""
    with running_platform(platform_settings, progress=progress_on(sys.__stderr__ or sys.stderr)) as running:
        yield running


@pytest.fixture(scope="session")
def kafka_bootstrap(platform: Platform) -> str:
    """The shared broker; tests keep apart by `topic_prefix`."""
    return platform.kafka_bootstrap


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics, groups and transactional ids that no other test has."""
    return f"test-{uuid.uuid4().hex[:12]}-"


@pytest.fixture(scope="session")
def migrated(platform: Platform) -> Iterator[str]:
    """The name of a database with the newest tables and nothing in them; others are copies of it.

    A copy takes a tenth of what it takes to migrate, and hundreds of tests want tables.
    """
    name = f"migrated_{uuid.uuid4().hex[:12]}"
    with fresh_database(platform.database_url, name) as url:
        migrate(url)
        yield name


@pytest.fixture
def database_url(platform: Platform, migrated: str) -> Iterator[str]:
    """A database with the newest tables that goes with the test."""
    with fresh_database(platform.database_url, f"test_{uuid.uuid4().hex[:12]}", migrated) as url:
        yield url


@pytest.fixture
def empty_database_url(platform: Platform) -> Iterator[str]:
    """A database without tables that goes with the test: for what makes or misses them."""
    with fresh_database(platform.database_url, f"test_{uuid.uuid4().hex[:12]}") as url:
        yield url


@pytest.fixture(scope="session")
def schema_registry() -> Iterator[str]:
    """The Confluent API of the shared registry; tests keep apart by `topic_prefix`."""
    with running_registry() as url:
        yield url
