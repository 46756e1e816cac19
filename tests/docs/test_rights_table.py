from tests.docs.rights_table import BEGIN, PAGE, drawn


def test_the_table_of_rights_is_that_of_the_rights_themselves() -> None:
    text = PAGE.read_text("utf-8")
    assert BEGIN in text
    assert drawn(text) == text, "run: python -m tests.docs.rights_table"
