"""Real Kafka and PostgreSQL from packages, for demo, tests and benchmarks."""
