"""Settings of the feedback to partners; which partner has which channel stands in the policy.

Flows in: values of the product's settings. Flows out: one frozen object, refused when it cannot work.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from signaalwissel.processors.emissions import FEEDBACK
from signaalwissel.processors.policy_sections import PartnerChannel
from signaalwissel.processors.publishers import Publishers
from signaalwissel.security.secret_files import SecretUnusable, read_secret

SECRET_SIZE_MIN = 32


class FeedbackUnusable(ValueError):
    """A setting of the feedback cannot be used; names it, never a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSettings:
    """How feedback goes out; units are the last part of each name.

    Attributes:
        secret_dir: Folder with a file `<partner_id>.secret` for each webhook: what requests are signed with.
        folder: Below it each partner finds his files; None where no channel is a file.
        publishers: Whose signals each topic may hear of.
        timeout_s: How long one request may take.
        backoff_s: How long to wait after the first failure; each further one doubles it, up to `backoff_max_s`.
        backoff_max_s: The longest wait.
        failures_max: After so many failures in a row a partner is left alone for a while.
        pause_s: For how long at first; a failed try doubles it, up to `pause_max_s`.
        pause_max_s: The longest pause.
    """

    secret_dir: Path | None = None
    folder: Path | None = None
    publishers: Publishers = field(default_factory=Publishers)
    timeout_s: float = 10.0
    backoff_s: float = 5.0
    backoff_max_s: float = 3600.0
    failures_max: int = 5
    pause_s: float = 30.0
    pause_max_s: float = 600.0

    def secret(self, partner_id: str) -> bytes:
        """What requests to a partner are signed with; read each time, so that it can be replaced.

        Raises:
            FeedbackUnusable: It is not there, or too short.
        """
        if self.secret_dir is None:
            raise FeedbackUnusable(
                "FEEDBACK_SECRET_DIR is not set: give the folder with <partner_id>.secret for each webhook"
            )
        file = self.secret_dir / f"{partner_id}.secret"
        try:
            secret = read_secret(file)
        except SecretUnusable as error:
            raise FeedbackUnusable(f"FEEDBACK_SECRET_DIR: {error}") from error
        if len(secret) < SECRET_SIZE_MIN:
            raise FeedbackUnusable(
                f"FEEDBACK_SECRET_DIR: {file.name} must hold at least {SECRET_SIZE_MIN} random characters"
            )
        return secret

    def check(self, channels: Iterable[tuple[str, PartnerChannel]]) -> None:
        """Raise FeedbackUnusable where a channel of a policy cannot work with these settings."""
        for partner_id, channel in channels:
            if channel.kind == "webhook":
                self.secret(partner_id)
            elif channel.publisher is not None:
                self._check_topic(partner_id, channel.publisher)
            elif self.folder is None:
                raise FeedbackUnusable(
                    f"FEEDBACK_DIR is not set: channels.partners.{partner_id} is a file and needs its folder"
                )

    def _check_topic(self, partner_id: str, publisher: str) -> None:
        topic = f"{FEEDBACK}.{publisher}"
        known = self.publishers.of(topic)
        if known is None or partner_id not in (known.partners or ()):
            raise FeedbackUnusable(
                f'PUBLISHERS_FILE: ["{topic}"] must name {partner_id} among its partners: '
                f"channels.partners.{partner_id} is told there"
            )
