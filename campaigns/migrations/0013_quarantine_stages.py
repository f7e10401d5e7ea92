"""Add the stages of ratings, uses and periods to the quarantine."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0012_trials_of_rules"),
    ]

    operations = [
        migrations.AlterField(
            model_name="quarantineentry",
            name="stage",
            field=models.CharField(
                choices=[
                    ("read", "reading the definition"),
                    ("follow", "following the grant"),
                    ("tag", "adding up receipts"),
                    ("evaluate", "evaluating the conditions"),
                    ("write", "writing the decision"),
                    ("decide", "deciding claims"),
                    ("issue", "issuing coupons"),
                    ("use", "using coupons"),
                    ("notice", "notifying of coupons that expire"),
                    ("rate", "rating"),
                    ("settle", "deciding uses"),
                    ("period", "writing periods"),
                    ("wait", "waiting for the merchant's coupons"),
                ],
                max_length=10,
                verbose_name="stage",
            ),
        ),
    ]
