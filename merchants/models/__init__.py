"""Merchants and what they hold: accounts, memberships, packages, penalties; their members and API keys."""

from merchants.models.access_change import AccessChange
from merchants.models.api_key import ApiKey
from merchants.models.block import Block
from merchants.models.member import Member
from merchants.models.merchant import Account, Interval, Membership, Merchant, Penalty, ReferenceValue, ServicePackage

__all__ = [
    "AccessChange",
    "Account",
    "ApiKey",
    "Block",
    "Interval",
    "Member",
    "Membership",
    "Merchant",
    "Penalty",
    "ReferenceValue",
    "ServicePackage",
]
