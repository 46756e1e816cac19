"""The contract: Avro schemas, value objects, and the way between bytes, JSON and objects."""
