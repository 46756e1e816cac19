"""The pages of the site that are made from code and schemas, by their place on it."""

from website import codes, commands, contract, doctor, metrics, policy, settings


def pages() -> dict[str, str]:
    """Every generated page."""
    optional = {"reference/metrics.md": metrics.page()}
    return {
        "reference/commands.md": commands.page(),
        "reference/settings.md": settings.page(),
        "reference/policy.md": policy.page(),
        "reference/topics.md": contract.topics_page(),
        "reference/records.md": contract.records_page(),
        "reference/codes.md": codes.page(),
        "reference/doctor.md": doctor.page(),
        **{place: text for place, text in optional.items() if text is not None},
    }
