"""Ratings of merchants and listings by scorecards: results that conditions can ask about like other facts."""
