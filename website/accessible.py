"""What the theme leaves out of its pages for people who do not see them: names of landmarks, and cells that head nothing.

In: a page as the theme makes it. Out: the same page, on which axe finds nothing (`tests/docs/test_site_axe.py`).
"""

import re

_SEARCH = '<div class="md-search" data-md-component="search" role="dialog"'
# A corner above the first column names no column.
_EMPTY_HEADING = re.compile(r"<th(\s[^>]*)?></th>")
# A list inside the table of contents is no landmark beside it, and two of them often have one name.
_NESTED = re.compile(r'<nav class="md-nav" aria-label="[^"]*">')
_CONTENTS = '<nav class="md-nav md-nav--secondary" aria-label="Table of contents"'
_SIDE = '<div class="md-sidebar md-sidebar--secondary"'
_FRAME = '<div class="md-typeset__scrollwrap" tabindex="0" role="group" aria-label="Table">'


def accessible(page: str) -> str:
    """The page with what was left out."""
    page = page.replace(_SEARCH, _SEARCH + ' aria-label="Search"')
    page = _EMPTY_HEADING.sub(r"<td\1></td>", page)
    page = _NESTED.sub('<nav class="md-nav" role="presentation">', page)
    page = page.replace("<table>", _FRAME + "<table>").replace("</table>", "</table></div>")
    menu, side, rest = page.partition(_SIDE)
    # The contents stand in the menu of a narrow screen and beside the text of a wide one.
    return menu + side + rest.replace(_CONTENTS, _CONTENTS.replace("Table of contents", "On this page"), 1)
