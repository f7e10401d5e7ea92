"""Coupons for any kind of order, and coupons that set a price. All coupons before were for freight orders."""

import django.db.models.deletion
from django.db import migrations, models

import core.db.fields

COPY = """
INSERT INTO campaigns_redemption (order_kind, order_no, merchant_id, coupon_id, placed_at, waits)
SELECT 'freight_order', order_no, merchant_id, coupon_id, placed_at, waits FROM campaigns_attachment
"""
BACK = """
INSERT INTO campaigns_attachment (order_no, merchant_id, coupon_id, placed_at, waits)
SELECT order_no, merchant_id, coupon_id, placed_at, waits FROM campaigns_redemption WHERE order_kind = 'freight_order'
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0009_stated_limits")]
    operations = [
        migrations.AddField(
            "coupon",
            "order_kind",
            models.CharField(default="freight_order", max_length=20, verbose_name="kind of order"),
            preserve_default=False,
        ),
        migrations.AddField(
            "coupon",
            "price",
            models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name="price"),
        ),
        migrations.AlterField(
            "coupon", "order_no", core.db.fields.KeyField(max_length=64, null=True, verbose_name="order")
        ),
        migrations.AlterField(
            "journalentry", "order_no", core.db.fields.KeyField(blank=True, max_length=64, verbose_name="order")
        ),
        migrations.AlterField(
            "outboxevent", "order_no", core.db.fields.KeyField(blank=True, max_length=64, verbose_name="order")
        ),
        migrations.RemoveConstraint("coupon", "coupon_one_per_order"),
        migrations.RemoveConstraint("coupon", "coupon_value_in_face"),
        migrations.RemoveConstraint("coupon", "coupon_validity"),
        migrations.AddConstraint(
            "coupon", models.UniqueConstraint(fields=("order_kind", "order_no"), name="coupon_one_per_order")
        ),
        migrations.AddConstraint(
            "coupon",
            models.CheckConstraint(
                condition=models.Q(price=None, value__gte=0, value__lte=models.F("face_value"))
                | models.Q(price__gte=0, face_value=0, value__gte=0),
                name="coupon_value_in_face",
            ),
        ),
        migrations.AddConstraint(
            "coupon",
            models.CheckConstraint(
                condition=models.Q(price=None) | models.Q(status__in=["locked", "redeemed"]) | models.Q(value=0),
                name="coupon_price_takes_off_an_order",
            ),
        ),
        migrations.AddConstraint(
            "coupon",
            models.CheckConstraint(
                condition=models.Q(valid_until__gte=models.F("valid_from")), name="coupon_validity"
            ),
        ),
        # The key of an attachment becomes the kind and the number of its order: a new table, the rows copied.
        migrations.CreateModel(
            "Redemption",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("order_kind", models.CharField(max_length=20, verbose_name="kind of order")),
                ("order_no", core.db.fields.KeyField(max_length=64, verbose_name="order")),
                ("placed_at", models.DateTimeField(verbose_name="placed at")),
                ("waits", models.BooleanField(default=False, verbose_name="waits for an earlier claim")),
                (
                    "coupon",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.coupon",
                        verbose_name="coupon",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="merchants.merchant",
                        verbose_name="merchant",
                    ),
                ),
            ],
            options={"verbose_name": "redemption", "verbose_name_plural": "redemptions"},
        ),
        migrations.RunSQL(COPY, BACK),
        migrations.DeleteModel("Attachment"),
        migrations.RenameModel("Redemption", "Attachment"),
        migrations.AlterField(
            "attachment",
            "coupon",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attachments",
                to="campaigns.coupon",
                verbose_name="coupon",
            ),
        ),
        migrations.AddConstraint(
            "attachment", models.UniqueConstraint(fields=("order_kind", "order_no"), name="attachment_once")
        ),
        migrations.AddConstraint(
            "attachment",
            models.CheckConstraint(
                condition=models.Q(("waits", False), ("coupon", None), _connector="OR"),
                name="attachment_waits_without_coupon",
            ),
        ),
        migrations.AddIndex(
            "attachment",
            models.Index(condition=models.Q(("waits", True)), fields=["merchant"], name="attachment_waits"),
        ),
    ]
