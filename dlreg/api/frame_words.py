"""What messages say to those who have a data frame, and no config to set keys of a table in."""

from dlreg.api.notes import Words

_MOMENTS = "make it moments with pandas.to_datetime"
_CATEGORY = 'make it a category with astype("category")'

# The longer before what stands in it.
IN_FRAMES: Words = (
    (r"[Tt]rain with data\.time_zone: UTC and data\.dates: \{.*?\}", f"{_MOMENTS}(…, utc=True)"),
    (r"[Ss]et data\.time_zone: UTC, or to the zone .*?, such as [\w/]+", f"{_MOMENTS}(…, utc=True)"),
    (r"(?:[Ss]et )?data\.dates: \{[^{}]*: (?:\"([^\"]*)\"|FORMAT)\}", rf'{_MOMENTS}(…, format="\1")'),
    (r"[Ss]et (?:the|their)(?: strptime)? format in data\.dates", f'{_MOMENTS}(…, format="…")'),
    (r"(?:[Ss]et )?data\.types: \{[^{}]*: category\}", _CATEGORY),
    (r"say what it is in data\.types", _CATEGORY),
    (r"(?:[Ss]et )?data\.types: \{[^{}]*: number\}", "make it numbers, without their unit"),
    (
        r"(?:[Ss]et )?data\.decimal: \"(.)\" and data\.thousands: \"(.)\"",
        r'make it numbers, with a point for "\1" and nothing for "\2"',
    ),
    (r"(?:[Ss]et )?data\.decimal: \"(.)\"", r'make it numbers, with a point for "\1"'),
    (r"(?:[Ss]et )?data\.thousands: \"(.)\"", r'make it numbers, with nothing for "\1"'),
    (r"add the texts to data\.missing_values", "make the texts NaN"),
    (r"name texts that mean a missing value in data\.missing_values", "make texts that mean so NaN"),
    (r"[Ll]eave it out with data\.exclude", "drop the column"),
    (r"other values of data\.test_split and training\.validation_split", "another validation_split"),
    (r"([Cc])hoose another data\.target", r"\1hoose another y"),
    (r"\b(?:preprocessing|model|training)\.(?=[a-z])", ""),
)
