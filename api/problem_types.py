"""Error catalogue: each kind of error with its HTTP status, its stable code, and texts for people.

The pages about errors are made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api.addresses import address
from core.db.errors import RETRY_HEADERS

Text = str | Promise


@dataclass(frozen=True)
class ProblemType:
    """One kind of error. `title`, `detail` and `advice` are for people, in the language of the response.

    `detail` may have `%(name)s` parameters. `advice` says what the caller can do.
    """

    status: int
    code: str
    title: Text
    detail: Text
    advice: Text
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The `detail` in the current language."""
        return str(self.detail)

    @property
    def href(self) -> str:
        """The `type` of the problem: address of its page."""
        return address("errors", self.code)


INVALID = ProblemType(
    400,
    "invalid",
    _("Invalid request"),
    _("The request is invalid. See errors."),
    _("Correct what `errors` names, and send the request again."),
)
INVALID_FACTS = ProblemType(
    400,
    "invalid",
    _("Invalid request"),
    _("Nothing was recorded, because some facts are invalid. See errors."),
    _("Correct what `errors` names, and send the request again."),
)
PARSE_ERROR = ProblemType(
    400,
    "parse_error",
    _("Invalid JSON"),
    _("The body is not strict JSON."),
    _("Send UTF-8 without repeated names, NaN and Infinity, nested at most 20 deep."),
)
IDEMPOTENCY_KEY_MISSING = ProblemType(
    400,
    "idempotency_key_missing",
    _("Idempotency-Key missing"),
    _("The header %(header)s is required: 1 to %(n)d printable characters that identify this request."),
    _("Make a new key, such as a UUID, for each write, and send the same one when you repeat it."),
)
NOT_AUTHENTICATED = ProblemType(
    401,
    "not_authenticated",
    _("API key missing"),
    _("The request has no API key."),
    _("Send the header `Authorization: Bearer fg_…`."),
)
AUTHENTICATION_FAILED = ProblemType(
    401,
    "authentication_failed",
    _("API key not valid"),
    _("This API key is unknown, revoked or expired."),
    _("Use another key. Whoever manages keys can issue or rotate one."),
)
INSECURE = ProblemType(
    401,
    "insecure",
    _("API key sent without HTTPS"),
    _("The API key was sent without HTTPS and may have been read by others. Replace it, and use https://."),
    _("Rotate the key, and send every request over HTTPS."),
)
SCOPE_MISSING = ProblemType(
    403,
    "scope_missing",
    _("Scope missing"),
    _("This API key does not have the scope “%(scope)s”, which this operation requires."),
    _("Use a key with the scope that the operation names."),
)
FACTS_SCOPE_MISSING = ProblemType(
    403,
    "scope_missing",
    _("Scope missing"),
    _("Recording facts requires the scope “facts”. Without it, name a recorded subject by its key."),
    _("Use a key with the scope that the operation names."),
)
BEYOND_KEY = ProblemType(
    403,
    "beyond_key",
    _("More than this key has"),
    _("This API key cannot give or change more than it has itself: scopes, merchant, time until it expires."),
    _("Use a key that has at least the rights of the other one."),
)
NOT_FOUND = ProblemType(
    404,
    "not_found",
    _("Not found"),
    _("Not found, or not accessible with this API key."),
    _("Check the address and the merchant of the key. Keys in addresses are percent-encoded."),
)
METHOD_NOT_ALLOWED = ProblemType(
    405,
    "method_not_allowed",
    _("Method not allowed"),
    _("This address has no such method."),
    _("Use one of the methods in the header `Allow`."),
)
NOT_ACCEPTABLE = ProblemType(
    406,
    "not_acceptable",
    _("No such format"),
    _("The response cannot have the format that the header Accept asks for."),
    _("Accept `application/json`."),
)
CLAIM_REFUSED = _("No offer granted this subject a benefit. See answers.")
CLAIM_REFUSALS = {
    kind.code: kind
    for kind in (
        ProblemType(
            409,
            "quota_exhausted",
            _("Quota used up"),
            CLAIM_REFUSED,
            _("The quota is used up. The decision is final, even if some of it becomes free again."),
        ),
        ProblemType(
            409,
            "merchant_cap",
            _("Limit of the merchant reached"),
            CLAIM_REFUSED,
            _("The merchant has reached the limit per merchant of this offer, or that of the period."),
        ),
        ProblemType(
            409,
            "holder_cap",
            _("Limit of a holder reached"),
            CLAIM_REFUSED,
            _("The buyer, listing or other holder of the subject has reached a limit of this offer."),
        ),
        ProblemType(
            409,
            "stopped",
            _("Offer stopped"),
            CLAIM_REFUSED,
            _("The offer was stopped before the claim was decided."),
        ),
        ProblemType(
            409,
            "refused",
            _("Conditions not met"),
            CLAIM_REFUSED,
            _("`answers` names each condition with what it requires, what was found and what is missing."),
        ),
        ProblemType(
            409,
            "before_opening",
            _("Offer not open yet"),
            CLAIM_REFUSED,
            _("The claim came before the offer opened. If that is a mistake in the facts, correct them."),
        ),
    )
}
"""The most final first: the response has the code of the first that any offer gave."""
NOT_COLLECTED = ProblemType(
    409,
    "not_collected",
    _("Allowance not collected"),
    _("The request is recorded and collected nothing. `allowance` says what is missing."),
    _("Ask again in the same period once the conditions are met. What is collected already is listed with its units."),
)
USE_REFUSED = _("The use was refused, and nothing was taken. See what is left.")
USE_REFUSALS = {
    kind.code: kind
    for kind in (
        ProblemType(
            409,
            "no_allowance",
            _("No allowance"),
            USE_REFUSED,
            _("The merchant has no allowance of this use now. `GET /allowances/` says why, and what it can collect."),
        ),
        ProblemType(
            409,
            "nothing_left",
            _("Nothing left"),
            USE_REFUSED,
            _("The allowance has fewer units left than the use takes. The refusal stays, even if units come back."),
        ),
    )
}
"""Refusals of uses, by the result."""
ENDED = ProblemType(
    409,
    "ended",
    _("Benefit ended"),
    _("The benefit of this subject has ended. See state and answers."),
    _("The grant was released, forfeited or revoked. A subject gets one grant from an offer."),
)
STEP_DONE = ProblemType(
    409,
    "step_done",
    _("Step recorded already"),
    _("%(fact)s is already recorded as %(at)s. To correct it, record the fact again."),
    _("Nothing is left to do, or correct the instant with `PATCH /facts/…`."),
)
WEBHOOK_DISABLED = ProblemType(
    409,
    "webhook_disabled",
    _("Webhook disabled"),
    _("The webhook is disabled: nothing is sent to it."),
    _('Enable it with `PATCH /webhooks/{id}/` and `"enabled": true`, then repeat the request.'),
)
KEY_ENDED = ProblemType(
    409,
    "key_ended",
    _("API key ended"),
    _("This API key is revoked or has expired, so that it has no successor."),
    _("Issue a new key."),
)
MADE_WITH_KEY = ProblemType(
    409,
    "made_with_key",
    _("Made with this key"),
    _("Keys or webhooks that were made with this API key still work. Nothing was revoked."),
    _("Repeat the request with `?made=end`, which ends those too, or with `?made=keep`."),
)
NO_COUPON = ProblemType(
    409,
    "no_coupon",
    _("No coupon attached or detached"),
    "%(reason)s",
    _("`detail` says why. Coupons are attached to orders that are placed and not paid."),
)
IN_PROGRESS = ProblemType(
    409,
    "in_progress",
    _("Still being processed"),
    _("The first request with this idempotency key is still being processed."),
    _("Repeat the request with the same key after `Retry-After`."),
    {"Retry-After": "1"},
)
TOO_LARGE = ProblemType(
    413,
    "too_large",
    _("Request too large"),
    _("The body has too many bytes or values."),
    _("Send fewer facts in a request: at most 1,000."),
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    415,
    "unsupported_media_type",
    _("Unknown format of the body"),
    _("The body is not JSON."),
    _("Send `Content-Type: application/json`."),
)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    422,
    "idempotency_key_reused",
    _("Idempotency-Key used for another request"),
    _("This idempotency key was already used for a different request."),
    _("Make a new key for each write. Only repetitions of a request have its key."),
)
THROTTLED = ProblemType(
    429,
    "throttled",
    _("Too many requests"),
    _("This API key has sent more requests than it may in a minute."),
    _("Wait for the seconds in `Retry-After`. The header `RateLimit` has what is left."),
)
INTERNAL = ProblemType(
    500,
    "internal",
    _("Internal error"),
    _("Internal error. Nothing was changed."),
    _("Send the request again later. If it fails again, report the header `X-Request-ID`."),
)
UNAVAILABLE = ProblemType(
    503,
    "unavailable",
    _("Not available now"),
    _("The database is not available. Nothing was changed. Try again."),
    _("Repeat the request, with the same Idempotency-Key, after `Retry-After`."),
    RETRY_HEADERS,
)
CATALOGUE: dict[str, ProblemType] = {
    kind.code: kind
    for kind in (
        INVALID,
        PARSE_ERROR,
        IDEMPOTENCY_KEY_MISSING,
        NOT_AUTHENTICATED,
        AUTHENTICATION_FAILED,
        INSECURE,
        SCOPE_MISSING,
        BEYOND_KEY,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        NOT_ACCEPTABLE,
        *CLAIM_REFUSALS.values(),
        *USE_REFUSALS.values(),
        NOT_COLLECTED,
        ENDED,
        STEP_DONE,
        KEY_ENDED,
        MADE_WITH_KEY,
        WEBHOOK_DISABLED,
        NO_COUPON,
        IN_PROGRESS,
        TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        IDEMPOTENCY_KEY_REUSED,
        THROTTLED,
        INTERNAL,
        UNAVAILABLE,
    )
}
"""Every kind of error by its code."""
