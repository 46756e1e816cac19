"""The match job side by side: the product and other engines, one broker, one run. `make bench-peers`."""
