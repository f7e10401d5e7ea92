"""Scorecards at work: evaluations on time, ratings, explanations, and trials of changed rules."""
