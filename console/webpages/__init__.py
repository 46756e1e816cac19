"""The web pages: what counsellors, team leads, privacy officers and operators see, in Dutch.

In: requests of somebody who logged in. Out: HTML that works without JavaScript. Every row comes through row-level
security, every right from `processors.access.may`, every look at a resident's record is on record before it is shown.
"""
