"""Files of facts about credentials and violations; `docs/files.md` describes them."""

from catalog.import_schemas import ANY_LISTING, LISTING_OF_MERCHANT
from compliance.models import Credential, Violation
from imports.cell_parsers import choice, flag, instant, key, money
from imports.columns import Column
from imports.registry import register
from imports.schema import FileSchema
from merchants.import_schemas import MERCHANT

CREDENTIALS = FileSchema(
    "credentials",
    Credential,
    (
        Column("credential_no", key(), required=True),
        MERCHANT,
        Column("kind", choice(), required=True),
        Column("verified_at", instant(), required=True),
        Column("ends_at", instant()),
        Column("amount_usd", money()),
    ),
    key=("credential_no",),
)
VIOLATIONS = FileSchema(
    "violations",
    Violation,
    (
        Column("violation_no", key(), required=True),
        MERCHANT,
        ANY_LISTING,
        Column("kind", choice(), required=True),
        Column("found_at", instant(), required=True),
        Column("rectified_at", instant()),
        Column("overturned_at", instant()),
        Column("grave", flag()),
    ),
    key=("violation_no",),
    agreements=(LISTING_OF_MERCHANT,),
)
register(CREDENTIALS, VIOLATIONS)
