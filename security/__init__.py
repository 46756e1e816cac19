"""Secrets: where the keys of municipalities come from, and who may use them."""
