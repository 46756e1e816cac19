"""Hypothesis for the tests of the rules: the same examples on every run, no limit on the time of one."""

from hypothesis import settings

settings.register_profile("rules", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("rules")
