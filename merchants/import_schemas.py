"""Files of facts about merchants; `docs/files.md` describes them."""

from datetime import datetime

from django.utils.translation import gettext as _

from imports.cell_parsers import choice, country, flag, instant, key, text
from imports.columns import Column
from imports.registry import register
from imports.schema import Check, FileSchema
from merchants.models import Account, Membership, Merchant, Penalty, ReferenceValue, ServicePackage

MERCHANT = Column("merchant_code", key(), to="merchant_id", required=True)


def _ends_after_start(starts_at: datetime, ends_at: datetime | None) -> str | None:
    if ends_at is None or ends_at > starts_at:
        return None
    return _("is not after starts_at")


INTERVAL = (Column("starts_at", instant(), required=True), Column("ends_at", instant()))
ENDS_AFTER_START = Check(("starts_at", "ends_at"), _ends_after_start)

MERCHANTS = FileSchema(
    "merchants",
    Merchant,
    (
        Column("merchant_code", key(), to="code", required=True),
        Column("name", text()),
        Column("name_en", text()),
        Column("country", country()),
        Column("category_l1", key()),
        Column("category_l2", key()),
        Column("logistics_partner", flag()),
    ),
    key=("merchant_code",),
    row_kind="merchant",
)
ACCOUNTS = FileSchema(
    "accounts",
    Account,
    (Column("account_code", key(), to="code", required=True), MERCHANT, Column("role", choice(), required=True)),
    key=("account_code",),
)
MEMBERSHIPS = FileSchema(
    "memberships",
    Membership,
    (MERCHANT, Column("plan", choice(), required=True), *INTERVAL),
    key=("merchant_code", "plan", "starts_at"),
    checks=(ENDS_AFTER_START,),
)
SERVICE_PACKAGES = FileSchema(
    "service_packages",
    ServicePackage,
    (MERCHANT, Column("package", choice(), required=True), *INTERVAL),
    key=("merchant_code", "package", "starts_at"),
    checks=(ENDS_AFTER_START,),
)
PENALTIES = FileSchema(
    "penalties",
    Penalty,
    (MERCHANT, Column("kind", choice(), required=True), *INTERVAL, Column("reason", text())),
    key=("merchant_code", "kind", "starts_at"),
    checks=(ENDS_AFTER_START,),
)
REFERENCE_LISTS = FileSchema(
    "reference_lists",
    ReferenceValue,
    (Column("list_code", key(), required=True), Column("value", key(), required=True)),
    key=("list_code", "value"),
    public=True,
)
register(MERCHANTS, ACCOUNTS, MEMBERSHIPS, SERVICE_PACKAGES, PENALTIES, REFERENCE_LISTS)
