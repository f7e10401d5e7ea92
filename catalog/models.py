"""Listings of merchants, with their cartons, price tiers and store discounts."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.db.fields import KeyField, NumberField, instant, money
from declarations.fields import attributes_column
from imports.models import ImportedRecord
from merchants.models import Merchant


class CartonSpec(ImportedRecord):
    """Carton in which a merchant packs a listing: its size, and how many pieces it holds."""

    carton_no = KeyField(_("carton"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="carton_specs")
    name = models.CharField(_("name"), max_length=200)
    length_cm = NumberField(_("length in cm"), max_digits=8, decimal_places=2)
    width_cm = NumberField(_("width in cm"), max_digits=8, decimal_places=2)
    height_cm = NumberField(_("height in cm"), max_digits=8, decimal_places=2)
    empty_weight_kg = NumberField(_("empty weight in kg"), max_digits=8, decimal_places=3)
    units = models.PositiveIntegerField(_("pieces in a carton"))

    class Meta:
        verbose_name = _("carton")
        verbose_name_plural = _("cartons")
        constraints = [models.CheckConstraint(condition=Q(units__gte=1), name="carton_holds_a_piece")]

    def __str__(self) -> str:
        return self.carton_no


class Listing(ImportedRecord):
    """Product that a merchant offers. It is live from `published_at` until `removed_at`.

    A number that is empty is not given; that is not the same as 0.
    """

    listing_no = KeyField(_("listing"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="listings")
    title = models.CharField(_("title"), max_length=500)
    category = KeyField(_("category"), max_length=300)  # path, parts joined by >
    is_rts = models.BooleanField(_("ready to ship"), default=False)
    customizable = models.BooleanField(_("customizable"), default=False)
    local_service = models.BooleanField(_("with service abroad"), default=False)
    country_pricing = models.BooleanField(_("prices by country"), default=False)
    published_at = models.DateTimeField(_("published at"), db_index=True)
    removed_at = instant(verbose_name=_("removed at"), db_index=True)
    growth_score = NumberField(_("growth score"), max_digits=5, decimal_places=2, null=True, blank=True)
    images = models.PositiveIntegerField(_("images"), null=True, blank=True)
    has_video = models.BooleanField(_("with a video"), default=False)
    attributes_filled = models.PositiveSmallIntegerField(_("attributes filled in, in percent"), null=True, blank=True)
    moq = models.PositiveIntegerField(_("minimum order quantity"), null=True, blank=True)
    sku_count = models.PositiveIntegerField(_("number of SKUs"), null=True, blank=True)
    lead_time_days = models.PositiveIntegerField(_("lead time in days"), null=True, blank=True)
    description_chars = models.PositiveIntegerField(_("characters of the description"), null=True, blank=True)
    carton = models.ForeignKey(
        CartonSpec, models.PROTECT, null=True, blank=True, verbose_name=_("carton"), related_name="listings"
    )
    attributes = attributes_column()

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        constraints = [
            models.CheckConstraint(
                condition=Q(growth_score=None) | Q(growth_score__gte=0, growth_score__lte=100),
                name="listing_growth_score_in_range",
            ),
            models.CheckConstraint(
                condition=Q(attributes_filled=None) | Q(attributes_filled__lte=100),
                name="listing_attributes_filled_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.listing_no


class PriceTier(ImportedRecord):
    """Price of a listing from a quantity on, by the piece or by the carton."""

    class Mode(models.TextChoices):
        PIECE = "piece", _("by the piece")
        CARTON = "carton", _("by the carton")

    listing = models.ForeignKey(
        Listing, models.PROTECT, db_index=False, verbose_name=_("listing"), related_name="price_tiers"
    )
    mode = models.CharField(_("sold"), max_length=6, choices=Mode)
    min_quantity = models.PositiveIntegerField(_("from quantity"))
    unit_price_usd = money(verbose_name=_("unit price in USD"))

    class Meta:
        verbose_name = _("price tier")
        verbose_name_plural = _("price tiers")
        constraints = [
            models.UniqueConstraint(fields=["listing", "mode", "min_quantity"], name="price_tier_once"),
            models.CheckConstraint(condition=Q(min_quantity__gte=1), name="price_tier_from_a_piece"),
            models.CheckConstraint(condition=Q(unit_price_usd__gte=0), name="price_tier_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.listing_id} {self.mode} {self.min_quantity}"


class StoreDiscount(ImportedRecord):
    """Discount that a merchant sets itself on one of its listings, for a time and as long as its stock lasts."""

    discount_no = KeyField(_("store discount"), max_length=64, primary_key=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="store_discounts")
    listing = models.ForeignKey(Listing, models.PROTECT, verbose_name=_("listing"), related_name="store_discounts")
    percent = NumberField(_("discount in percent"), max_digits=4, decimal_places=2)
    stock = models.PositiveIntegerField(_("stock"))
    starts_at = models.DateTimeField(_("starts at"), db_index=True)
    ends_at = instant(verbose_name=_("ends at"), db_index=True)

    class Meta:
        verbose_name = _("store discount")
        verbose_name_plural = _("store discounts")
        constraints = [
            models.CheckConstraint(condition=Q(percent__gt=0, percent__lte=99), name="store_discount_in_range"),
            models.CheckConstraint(condition=Q(stock__gte=1), name="store_discount_of_a_piece"),
        ]

    def __str__(self) -> str:
        return self.discount_no
