"""Thousands of seeded runs of the real chunk engine and the sink's bookkeeping against a fake broker and a fake clock."""
