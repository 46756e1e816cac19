from signaalwissel.processors.distribution import Distribution


def test_a_value_counts_under_every_bound_that_is_not_smaller() -> None:
    told = Distribution((1.0, 10.0))
    for value in (0.5, 1.0, 1.5, 10.0, 11.0):
        told.note(value)
    assert told.buckets() == [("1.0", 2.0), ("10.0", 4.0), ("+Inf", 5.0)]
    assert told.total == 24.0


def test_without_values_every_bucket_is_there_and_empty() -> None:
    assert Distribution((3.0,)).buckets() == [("3.0", 0.0), ("+Inf", 0.0)]
