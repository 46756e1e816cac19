"""Dirty XML files of a system."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.system.dirty_exports import SAMPLES, Broken, Dirty, Refused, bsn, number_of
from tests.system.dirty_traps import ENTITIES, zip_bomb

_DATE = "2024-01-10"
"""Of the application, in the sample."""


class _Tree(NamedTuple):
    """The form of a system's XML: what stands before and after its records, and one of them."""

    system: str
    before: str
    record: str
    after: str

    def of(self, person: int, **changes: str) -> str:
        """A person's record; changes by what an element is for."""
        record = re.sub(r'nummer="[^"]*"', f'nummer="{number_of(self.system, person)}"', self.record)
        record = re.sub(r"<Client>.*</Client>", _client(person), record, flags=re.DOTALL)
        if "date" in changes:
            record = record.replace(f"<Aanvraag><Datum>{_DATE}<", f"<Aanvraag><Datum>{changes['date']}<")
        if "surname" in changes:
            record = record.replace("<Naam>Testpersoon<", f"<Naam>{changes['surname']}<")
        return record

    def text(self, records: Sequence[str]) -> str:
        """A file."""
        return self.before + "".join(records) + self.after


def _client(person: int) -> str:
    return (
        f"<Client><BSN>{bsn(person)}</BSN><Geboortedatum>1985-03-04</Geboortedatum><Naam>Testpersoon</Naam>"
        f"<Adres><Postcode>3511ZZ</Postcode><Huisnummer>{1 + person}</Huisnummer></Adres></Client>"
    )


def _tree_of(system: str) -> _Tree:
    sample = (SAMPLES / f"{system}.xml").read_text("utf-8")
    before, begin, rest = sample.partition("<Dossier ")
    record, end, after = rest.partition("</Dossier>")
    return _Tree(system, before, begin + record + end, after)


def dirty_trees(system: str) -> Iterator[Dirty]:
    """Every kind of dirt, with persons 0 to 18."""
    tree = _tree_of(system)
    of, text = tree.of, tree.text
    yield Dirty("01-bom.xml", text([of(0), of(1)]).encode("utf-8-sig"), taken=(0, 1))
    windows = text([of(2, surname="Testpersoon-Ünal")]).replace("UTF-8", "windows-1252", 1)
    yield Dirty("02-windows.xml", windows.encode("cp1252"), taken=(2,))
    lies = text([of(4), of(3, surname="Testpersoon-Ünal")]).encode("cp1252")
    broken = Broken(2, "cannot be read on as XML")
    yield Dirty("03-verkeerde-codering.xml", lies, taken=(4,), broken=broken, lost=(3,))
    yield Dirty("04-dubbel.xml", text([of(0), of(4), of(4)]).encode(), known=3)
    slid = of(7).replace("<BSN>", "<x>").replace("</BSN>", "</x>")
    slid = slid.replace("<Geboortedatum>1985-03-04</", f"<Geboortedatum>{bsn(7)}</")
    refused = Refused(1, ("Client.Geboortedatum",), "must be a date written")
    shifted = text([slid, of(8)]).encode()
    yield Dirty("05-verschoven.xml", shifted, taken=(8,), refused=(refused,), lost=(7,))
    moved = re.sub(r"(<Aanvraag>.*?</Aanvraag>)(.*?)(?=</Dossier>)", r"\2\1", of(9), flags=re.DOTALL)
    yield Dirty("06-andere-volgorde.xml", text([moved]).encode(), taken=(9,))
    yield _of_a_spreadsheet(tree)
    half = text([of(15), of(16)]).encode()
    half = half[: half.rindex(b"<Client>")]
    yield Dirty("08-half.xml", half, taken=(15,), broken=broken, lost=(16,))
    yield Dirty("09-zipbom.xml", zip_bomb(), broken=Broken(1, "cannot be read on as XML"))
    trap = ENTITIES.partition(b"<x>")[0].decode() + text([of(17, surname="&amp;b;")]).partition("?>\n")[2]
    none = Broken(1, "must have no DTD and no entities")
    yield Dirty("10-entiteit.xml", trap.replace("&amp;", "&").encode(), broken=none, lost=(17,))


def _of_a_spreadsheet(tree: _Tree) -> Dirty:
    """Values that passed through a spreadsheet on their way into a record."""
    column = ("Aanvraag.Datum",)
    records = [tree.of(10, date="45301"), tree.of(11, date="=A1"), tree.of(12, date="#N/A"), tree.of(14)]
    return Dirty(
        "07-excel.xml",
        tree.text(records).encode(),
        taken=(14,),
        refused=(
            Refused(1, column, "must be a date written"),
            Refused(2, column, "must be a value, not a formula"),
            Refused(3, column, "must be a value, not an error of the spreadsheet"),
        ),
        lost=(10, 11, 12),
    )
