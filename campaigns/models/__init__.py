"""Campaign, offer, decision, grant, coupon, journal, runs: fields and constraints."""

from campaigns.models.campaign import Campaign, Issuance, Offer, Version
from campaigns.models.clock import DemoClock
from campaigns.models.decision import Decision, Tag
from campaigns.models.grant import Attachment, Coupon, Entry, Grant
from campaigns.models.run import Run

__all__ = [
    "Attachment",
    "Campaign",
    "Coupon",
    "Decision",
    "DemoClock",
    "Entry",
    "Grant",
    "Issuance",
    "Offer",
    "Run",
    "Tag",
    "Version",
]
