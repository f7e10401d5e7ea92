"""Facts about merchants: the merchants themselves, and the states that they are in for a time."""

from django.utils.translation import gettext_lazy as _

from core.column_facts import column_facts
from core.facts import (
    MERCHANT,
    MERCHANT_PREFIX,
    REFERENCE_LISTS,
    Collection,
    MerchantState,
    Reference,
    by_name,
    register,
)
from merchants.categories import CATEGORIES
from merchants.models import Account, Block, Membership, Merchant, Penalty, ServicePackage

# Each collection whose rows belong to a merchant has these facts too.
OF_MERCHANT = tuple(
    column_facts(
        Merchant,
        "country category_l1 category_l2 logistics_partner",
        prefix=MERCHANT_PREFIX,
        codes={"country": "country"},
        names_of={"category_l1": CATEGORIES, "category_l2": CATEGORIES},
        stated={"logistics_partner": (_("a logistics partner"), _("not a logistics partner"))},
    )
)
MERCHANTS = Collection(
    name="merchants",
    model=Merchant,
    label=_("merchants"),
    singular=_("merchant"),
    subject="merchant",
    merchant="code",
    facts=by_name(OF_MERCHANT),
    row_kind=MERCHANT,
)

ACCOUNTS = Collection(
    name="accounts",
    model=Account,
    label=_("accounts"),
    singular=_("account"),
    facts=by_name(column_facts(Account, "role"), OF_MERCHANT),
)
OF_ACCOUNT = Reference("account", "account_id", ACCOUNTS)

register(
    MERCHANTS,
    ACCOUNTS,
    MerchantState("membership", Membership, "plan", _("membership")),
    MerchantState("service_package", ServicePackage, "package", _("service package")),
    MerchantState("penalty", Penalty, "kind", _("penalty")),
    MerchantState("block", Block, "kind", _("block by the platform"), bars=True),
)

REFERENCE_LISTS["easy_return_categories"] = _("Easy Return categories")
