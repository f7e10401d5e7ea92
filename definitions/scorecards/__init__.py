"""Scorecards: how merchants or listings are rated, as data."""

from definitions.scorecards.parts import Band, Part
from definitions.scorecards.series import SeriesTerms
from definitions.scorecards.terms import Level, Rules, ScorecardTerms

__all__ = ["Band", "Level", "Part", "Rules", "ScorecardTerms", "SeriesTerms"]
