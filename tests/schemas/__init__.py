"""Tests of the contract: schemas, codecs, JSON form, committed files, and a partner with another Avro library."""
