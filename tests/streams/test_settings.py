"""Settings of the engine that cannot work together."""

import pytest
from signaalwissel.streams.settings import EngineSettings


def test_transactions_that_would_end_before_their_commit_are_refused() -> None:
    assert EngineSettings(app_id="app", bootstrap="b:1", commit_interval_s=5.0, transaction_timeout_s=10.0)
    with pytest.raises(ValueError, match=r"every 5\.1 s need .* theirs end after 10 s"):
        EngineSettings(app_id="app", bootstrap="b:1", commit_interval_s=5.1, transaction_timeout_s=10.0)
