"""Tests of the engine; they need a broker, and most start worker processes."""
