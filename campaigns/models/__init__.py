"""Campaigns, offers, decisions, grants, coupons, the journal and the records around them."""

from campaigns.models.accounting_period import AccountingPeriod
from campaigns.models.allowance import Allowance, AllowanceEntry, AllowanceNotice, UsageDecision, UseProgress
from campaigns.models.audit_event import AuditEvent
from campaigns.models.coupon import Attachment, Coupon
from campaigns.models.decision import Decision, Tag
from campaigns.models.document import Document, DocumentVersion
from campaigns.models.draft import Draft
from campaigns.models.draft_comment import DraftComment
from campaigns.models.grant import Grant
from campaigns.models.heartbeat import Heartbeat
from campaigns.models.journal_entry import JournalEntry
from campaigns.models.message import Message, Note
from campaigns.models.notice import Notice, Notification, NotificationPreference
from campaigns.models.offer import Campaign, Issuance, MerchantQuota, Offer, Version
from campaigns.models.outbox_event import OutboxEvent
from campaigns.models.quarantine_entry import QuarantineEntry
from campaigns.models.quota_band import BandCounter, QuotaBand
from campaigns.models.revocation import Revocation
from campaigns.models.simulation import Simulation
from campaigns.models.tick_run import TickRun, TickStep
from campaigns.models.webhook import Delivery, Endpoint

__all__ = [
    "AccountingPeriod",
    "Allowance",
    "AllowanceEntry",
    "AllowanceNotice",
    "Attachment",
    "AuditEvent",
    "BandCounter",
    "Campaign",
    "Coupon",
    "Decision",
    "Delivery",
    "Document",
    "DocumentVersion",
    "Draft",
    "DraftComment",
    "Endpoint",
    "Grant",
    "Heartbeat",
    "Issuance",
    "JournalEntry",
    "MerchantQuota",
    "Message",
    "Note",
    "Notice",
    "Notification",
    "NotificationPreference",
    "Offer",
    "OutboxEvent",
    "QuarantineEntry",
    "QuotaBand",
    "Revocation",
    "Simulation",
    "Tag",
    "TickRun",
    "TickStep",
    "UsageDecision",
    "UseProgress",
    "Version",
]
