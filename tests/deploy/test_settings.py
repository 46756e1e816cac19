"""The environment says where the servers come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from signaalwissel.deploy.settings import KAFKA_IMAGE, POSTGRES_IMAGE, PlatformSettings


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, PlatformSettings(Path("/c")), id="embedded unless something is set"),
        pytest.param(
            {
                "SIGNAALWISSEL_KAFKA_BOOTSTRAP": "k:9092",
                "SIGNAALWISSEL_DATABASE_URL": "postgresql+psycopg://d",
            },
            PlatformSettings(Path("/c"), "k:9092", "postgresql+psycopg://d"),
            id="given servers",
        ),
        pytest.param(
            {"SIGNAALWISSEL_KAFKA_BOOTSTRAP": "", "SIGNAALWISSEL_DATABASE_URL": ""},
            PlatformSettings(Path("/c")),
            id="empty counts as not set",
        ),
        pytest.param(
            {"SIGNAALWISSEL_TEST_CONTAINERS": "1", "SIGNAALWISSEL_KAFKA_IMAGE": "k:1"},
            PlatformSettings(Path("/c"), containers=True, kafka_image="k:1", postgres_image=POSTGRES_IMAGE),
            id="containers with one image of one's own",
        ),
        pytest.param(
            {"SIGNAALWISSEL_TEST_CONTAINERS": "0", "SIGNAALWISSEL_POSTGRES_IMAGE": "p:1"},
            PlatformSettings(Path("/c"), containers=False, kafka_image=KAFKA_IMAGE, postgres_image="p:1"),
            id="containers only where asked",
        ),
    ],
)
def test_settings_follow_the_environment(environ: dict[str, str], expected: PlatformSettings) -> None:
    assert PlatformSettings.from_environment({"SIGNAALWISSEL_CACHE": "/c", **environ}) == expected
