"""Bytewax: Kafka source, one stateful step per match key, Kafka sink, SQLite recovery store; no transactions."""

import os
import subprocess
import sys
from pathlib import Path

_PARTITIONS = os.environ["PARTITIONS"]


def main() -> None:
    """Make the recovery store, and become Bytewax's own runner."""
    store = Path(os.environ["STATE_DIR"]) / "recovery"
    store.mkdir()
    subprocess.run([sys.executable, "-m", "bytewax.recovery", str(store), _PARTITIONS], check=True)
    os.chdir(Path(__file__).parent)
    # Snapshots come at whole seconds; every one would keep the whole commit interval of 100 ms waiting.
    workers = ["-p", os.environ["WORKERS"], "-w", "1"]
    arguments = [
        "-m",
        "bytewax.testing",
        "flow_bytewax:flow",
        *workers,
        "-r",
        str(store),
        "-s",
        "1",
        "-b",
        "0",
    ]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 the runner takes this process's place


if __name__ == "__main__":
    main()
