"""The lengths of time that the rule is made of, in milliseconds, and the marks on the UTC grid."""

SECOND_MS = 1_000
MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS

JOIN_MS = 60_000  # neighbours at most this far apart are joined, inclusive
PLAY_MS = 30_000  # a play counts when this much of it was listened
PRESENCE_MS = MINUTE_MS  # a listener is gone this long after the newest heartbeat
FUTURE_MS = 2 * MINUTE_MS  # how far ahead of our clock a client's may be

QUARTERS_PER_HOUR = 4
QUARTERS_PER_WEEK = 7 * 24 * QUARTERS_PER_HOUR
EPOCH_WEEKDAY_MS = 3 * DAY_MS  # 1970-01-01 was a Thursday; weeks begin on Monday


def utc_week(at_ms: int) -> int:
    """Number the UTC week of an instant; week 0 holds the epoch, weeks begin on Monday."""
    return (at_ms + EPOCH_WEEKDAY_MS) // WEEK_MS


def week_start_ms(week: int) -> int:
    """Tell the instant at which a UTC week begins."""
    return week * WEEK_MS - EPOCH_WEEKDAY_MS


def quarter_of(at_ms: int) -> int:
    """Number the UTC quarter-hour of an instant; quarter 0 begins at the epoch."""
    return at_ms // QUARTER_MS
