"""Warnings: what a definition may mean, but probably does not. Publishing goes on."""

from campaigns.definition.problems import Problem
from campaigns.definition.reading import CampaignText


def doubts(text: CampaignText) -> list[Problem]:
    """What an operator should look at before publishing."""
    return []
