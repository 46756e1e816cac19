"""What the platform is made of. Flows in: environment variables. Flows out: one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from signaalwissel.deploy.cache import cache_folder

BOOTSTRAP_VARIABLE: Final = "SIGNAALWISSEL_KAFKA_BOOTSTRAP"
DATABASE_VARIABLE: Final = "SIGNAALWISSEL_DATABASE_URL"
CONTAINERS_VARIABLE: Final = "SIGNAALWISSEL_TEST_CONTAINERS"
KAFKA_IMAGE_VARIABLE: Final = "SIGNAALWISSEL_KAFKA_IMAGE"
POSTGRES_IMAGE_VARIABLE: Final = "SIGNAALWISSEL_POSTGRES_IMAGE"

KAFKA_IMAGE: Final = "apache/kafka:4.1.0"
POSTGRES_IMAGE: Final = "postgres:18"


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """Where the servers come from: given ones first, then containers if asked, else embedded ones."""

    cache: Path
    given_bootstrap: str | None = None
    given_database_url: str | None = None
    containers: bool = False
    kafka_image: str = KAFKA_IMAGE
    postgres_image: str = POSTGRES_IMAGE

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables `SIGNAALWISSEL_*`; one that is empty counts as one that is not set."""
        return cls(
            cache=cache_folder(environ),
            given_bootstrap=environ.get(BOOTSTRAP_VARIABLE) or None,
            given_database_url=environ.get(DATABASE_VARIABLE) or None,
            containers=environ.get(CONTAINERS_VARIABLE) == "1",
            kafka_image=environ.get(KAFKA_IMAGE_VARIABLE) or KAFKA_IMAGE,
            postgres_image=environ.get(POSTGRES_IMAGE_VARIABLE) or POSTGRES_IMAGE,
        )
