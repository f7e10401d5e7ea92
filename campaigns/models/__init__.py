"""Campaign, offer, decision, grant, coupon, journal, runs: fields and constraints."""

from campaigns.models.act import Act
from campaigns.models.call import Call
from campaigns.models.campaign import Campaign, Issuance, Offer, Version
from campaigns.models.clock import DemoClock
from campaigns.models.decision import Decision, Tag
from campaigns.models.draft import Draft
from campaigns.models.event import Event
from campaigns.models.grant import Attachment, Coupon, Entry, Grant
from campaigns.models.message import Message
from campaigns.models.period import Period
from campaigns.models.pulse import Pulse
from campaigns.models.revocation import Revocation
from campaigns.models.run import Run
from campaigns.models.step import Step
from campaigns.models.trial import Trial
from campaigns.models.webhook import Delivery, Endpoint

__all__ = [
    "Act",
    "Attachment",
    "Call",
    "Campaign",
    "Coupon",
    "Decision",
    "Delivery",
    "DemoClock",
    "Draft",
    "Endpoint",
    "Entry",
    "Event",
    "Grant",
    "Issuance",
    "Message",
    "Offer",
    "Period",
    "Pulse",
    "Revocation",
    "Run",
    "Step",
    "Tag",
    "Trial",
    "Version",
]
