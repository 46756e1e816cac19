"""The sample publishers in `samples/`, built and run against real Kafka."""
