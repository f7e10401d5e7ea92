"""Merchants, and what they hold: grants and coupons."""

from rest_framework import serializers

from api.addresses import address
from api.serializers.fields import Base, HrefField, amount, instant
from campaigns.models import Coupon, Grant
from core.facts import COUPON_FEES


class MerchantSerializer(Base):
    code = serializers.CharField()
    href = HrefField(lambda merchant: address("merchants", merchant.pk))
    name = serializers.CharField()
    name_en = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1; empty if it is not known.")
    category_l1 = serializers.CharField()
    category_l2 = serializers.CharField()
    logistics_partner = serializers.BooleanField()


class GrantSerializer(Base):
    id = serializers.IntegerField()
    href = HrefField(lambda grant: address("grants", grant.pk))
    offer = serializers.CharField(source="offer.code")
    subject = serializers.CharField(help_text="Key of the subject.")
    subject_type = serializers.CharField(source="offer.subject", help_text="Type of the subject, as in `/claims/`.")
    merchant = serializers.CharField(source="merchant_id")
    status = serializers.ChoiceField(choices=Grant.Status.choices)
    review = serializers.CharField(
        help_text="Why the grant is under review, because facts changed after it was given; empty if it is not."
    )
    amount = amount(help_text="What the grant is worth, or was while it lasted: a released or revoked one is not paid.")
    currency = serializers.CharField()
    claimed_at = instant()
    ended_at = instant(allow_null=True)


class CouponSerializer(Base):
    code = serializers.CharField()
    href = HrefField(lambda coupon: address("coupons", coupon.code))
    offer = serializers.CharField(source="offer.code")
    merchant = serializers.CharField(source="merchant_id")
    status = serializers.ChoiceField(choices=Coupon.Status.choices)
    value = amount()
    face_value = amount(help_text="The value of the coupon while it is on no order; 0.00 if it sets a price.")
    price = amount(allow_null=True, help_text="The price that it sets for one order; null if it takes a value off.")
    currency = serializers.CharField()
    valid_from = instant()
    valid_until = instant(help_text="The first instant at which the coupon is not valid any more.")
    order_kind = serializers.ChoiceField(choices=sorted(COUPON_FEES), help_text="The kind of order that it is for.")
    order_no = serializers.CharField(allow_null=True)
