"""Grants, coupons, what became of coupons on orders, and the journal of it all."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.models.campaign import Offer, Version
from merchants.fields import KeyField, money
from merchants.models import Merchant


class Grant(models.Model):
    """One place given to one subject. Its state changes through the verbs of `campaigns.grants` alone.

    It sits on seat `seat` of the offer's `limit` and on seat `merchant_seat` of the merchant's `cap`, where the offer
    has such. A released grant has left its seats. `ended_at` is when it stopped being live; `review` says why an
    operator should look at it, `kept` what an operator has accepted.
    """

    class Status(models.TextChoices):
        RESERVED = "reserved", _("reserved")
        LOCKED = "locked", _("locked")
        SETTLED = "settled", _("settled")
        RELEASED = "released", _("released")
        FORFEITED = "forfeited", _("forfeited")
        REVOKED = "revoked", _("revoked")

    LIVE = (Status.RESERVED, Status.LOCKED, Status.SETTLED)

    offer = models.ForeignKey(Offer, models.PROTECT, db_index=False, verbose_name=_("offer"), related_name="grants")
    version = models.ForeignKey(Version, models.PROTECT, db_index=False, verbose_name=_("version"), related_name="+")
    subject = KeyField(_("subject"), max_length=64)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="grants")
    status = models.CharField(_("status"), max_length=9, choices=Status)
    amount = money(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    fee = models.CharField(_("fee"), max_length=20, blank=True)
    claimed_at = models.DateTimeField(_("claimed at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    seat = models.PositiveIntegerField(_("seat"), null=True)
    limit = models.PositiveIntegerField(_("of"), null=True)
    merchant_seat = models.PositiveIntegerField(_("merchant's seat"), null=True)
    cap = models.PositiveIntegerField(_("of"), null=True)
    coupons = models.PositiveIntegerField(_("coupons owed"), default=0)
    review = models.CharField(_("for review"), max_length=200, blank=True)
    kept = models.CharField(_("kept although"), max_length=200, blank=True)
    look_again = models.BooleanField(_("to be followed anew"), default=False)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        permissions = [("revoke_grant", _("Can revoke grants"))]
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "subject"], condition=~Q(status="released"), name="grant_one_per_subject"
            ),
            models.UniqueConstraint(fields=["offer", "seat"], condition=~Q(status="released"), name="grant_seat_once"),
            models.UniqueConstraint(
                fields=["merchant", "offer", "merchant_seat"],
                condition=~Q(status="released"),
                name="grant_merchant_seat_once",
            ),
            models.CheckConstraint(
                condition=Q(limit=None, seat=None)
                | Q(limit__isnull=False, seat__isnull=False, seat__gte=1, seat__lte=F("limit")),
                name="grant_seat_in_limit",
            ),
            models.CheckConstraint(
                condition=Q(cap=None, merchant_seat=None)
                | Q(cap__isnull=False, merchant_seat__isnull=False, merchant_seat__gte=1, merchant_seat__lte=F("cap")),
                name="grant_merchant_seat_in_cap",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="grant_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=["reserved", "locked", "settled"], ended_at=None)
                | Q(status__in=["released", "forfeited", "revoked"], ended_at__isnull=False),
                name="grant_ended_means_not_live",
            ),
        ]
        indexes = [
            models.Index(fields=["subject", "fee"], name="grant_on_fee"),
            models.Index(fields=["offer", "subject"], name="grant_of_subject"),
            models.Index(
                fields=["offer", "status"], condition=Q(status__in=["reserved", "locked"]), name="grant_unsettled"
            ),
            models.Index(fields=["offer", "ended_at"], condition=Q(status="released"), name="grant_released"),
            models.Index(fields=["offer", "seat"], condition=Q(status="released"), name="grant_vacant"),
            models.Index(fields=["offer", "claimed_at", "subject"], name="grant_export"),
            models.Index(fields=["offer"], condition=Q(look_again=True), name="grant_look_again"),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} {self.subject}: {self.status}"


class Coupon(models.Model):
    """A token a merchant holds and later spends on a freight order. Changed by `campaigns.coupons` alone."""

    class Status(models.TextChoices):
        ISSUED = "issued", _("issued")
        LOCKED = "locked", _("locked")
        REDEEMED = "redeemed", _("redeemed")
        EXPIRED = "expired", _("expired")
        VOID = "void", _("void")

    code = KeyField(_("code"), max_length=32, unique=True)
    offer = models.ForeignKey(Offer, models.PROTECT, verbose_name=_("offer"), related_name="coupons")
    grant = models.ForeignKey(Grant, models.PROTECT, db_index=False, verbose_name=_("grant"), related_name="bundle")
    number = models.PositiveIntegerField(_("number in the bundle"))
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="coupons")
    status = models.CharField(_("status"), max_length=8, choices=Status)
    value = money(verbose_name=_("value"))
    face_value = money(verbose_name=_("face value"))
    currency = models.CharField(_("currency"), max_length=3)
    issued_at = models.DateTimeField(_("issued at"))
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid before"))
    order_no: "models.CharField[str | None, str | None]" = KeyField(  # type: ignore[assignment, misc]  # empty until used
        _("freight order"), max_length=64, null=True
    )

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.UniqueConstraint(fields=["grant", "number"], name="coupon_once"),
            models.UniqueConstraint(fields=["order_no"], name="coupon_one_per_order"),
            models.CheckConstraint(
                condition=Q(status__in=["locked", "redeemed"], order_no__isnull=False)
                | Q(status__in=["issued", "expired", "void"], order_no=None),
                name="coupon_on_an_order_when_used",
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0) & Q(value__lte=F("face_value")), name="coupon_value_in_face"
            ),
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="coupon_validity"),
        ]
        indexes = [
            models.Index(
                fields=["offer", "valid_until"],
                condition=Q(status__in=["issued", "locked"]),
                name="coupon_unspent",
            )
        ]

    def __str__(self) -> str:
        return self.code


class Attachment(models.Model):
    """An order that asked for a coupon when it was placed, and the coupon it got, if any. Written once."""

    order_no = KeyField(_("freight order"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="+")
    coupon = models.ForeignKey(Coupon, models.PROTECT, null=True, verbose_name=_("coupon"), related_name="attachments")
    placed_at = models.DateTimeField(_("placed at"))

    class Meta:
        verbose_name = _("use of a coupon")
        verbose_name_plural = _("uses of coupons")

    def __str__(self) -> str:
        return self.order_no


class Entry(models.Model):
    """One move of one grant or coupon, from one state to the next, written with the move. Append-only.

    `amount` left the account `source` (empty: the offer's promise) and reached the account `target`, so the sum over
    a state's arrivals less its departures is what grants in that state hold. `at` is when it happened by the facts.
    """

    grant = models.ForeignKey(
        Grant, models.PROTECT, null=True, db_constraint=False, verbose_name=_("grant"), related_name="entries"
    )
    coupon = models.ForeignKey(
        Coupon, models.PROTECT, null=True, db_constraint=False, verbose_name=_("coupon"), related_name="entries"
    )
    offer = models.ForeignKey(
        Offer, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("offer"), related_name="+"
    )
    version = models.ForeignKey(
        Version, models.PROTECT, db_constraint=False, db_index=False, verbose_name=_("version"), related_name="+"
    )
    at = models.DateTimeField(_("at"))
    source = models.CharField(_("from"), max_length=9, blank=True)
    target = models.CharField(_("to"), max_length=9)
    amount = money(verbose_name=_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    order_no = KeyField(_("freight order"), max_length=64, blank=True)
    by = models.CharField(_("by"), max_length=150)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal")
        constraints = [
            models.CheckConstraint(
                condition=Q(grant__isnull=False, coupon=None) | Q(grant=None, coupon__isnull=False),
                name="entry_of_one_thing",
            ),
        ]
        indexes = [models.Index(fields=["offer", "at"], name="entry_by_offer")]

    def __str__(self) -> str:
        return f"{self.source or '·'} → {self.target}"
