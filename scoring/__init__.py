"""What a score means: a pure function of model, facts, timeline, sales' word and day.

No clock, files, logs or randomness in here; dates are ``datetime.date`` values or whole day numbers, instants are
microseconds since 1970 in UTC, points are integer micro-points.
"""
