"""What the theme leaves out is put in: names, landmarks, cells that head nothing."""

import pytest

from website.accessible import accessible

CONTENTS = '<nav class="md-nav md-nav--secondary" aria-label="{name}">'
SIDE = '<div class="md-sidebar md-sidebar--secondary">'


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        pytest.param("<th></th><th>rule</th>", "<td></td><th>rule</th>", id="a corner heads nothing"),
        pytest.param(
            '<th style="text-align: right;"></th>',
            '<td style="text-align: right;"></td>',
            id="a corner keeps its place",
        ),
        pytest.param(
            '<div class="md-search" data-md-component="search" role="dialog">',
            '<div class="md-search" data-md-component="search" role="dialog" aria-label="Search">',
            id="the search has a name",
        ),
        pytest.param(
            "<table><tr></tr></table>",
            '<div class="md-typeset__scrollwrap" tabindex="0" role="group" aria-label="Table">'
            "<table><tr></tr></table></div>",
            id="a wide table is scrolled by keyboard",
        ),
        pytest.param(
            '<nav class="md-nav" aria-label="Domain">',
            '<nav class="md-nav" role="presentation">',
            id="a list in the contents is no landmark",
        ),
        pytest.param(
            CONTENTS.format(name="Table of contents") + SIDE + CONTENTS.format(name="Table of contents"),
            CONTENTS.format(name="Table of contents") + SIDE + CONTENTS.format(name="On this page"),
            id="two tables of contents have two names",
        ),
    ],
)
def test_what_the_theme_leaves_out_is_put_in(made: str, shown: str) -> None:
    assert accessible(made) == shown
