"""Add the scorecard and series of a trial of rules to simulations."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0011_allowances'),
    ]

    operations = [
        migrations.AddField(
            model_name='simulation',
            name='scorecard',
            field=models.CharField(blank=True, default='', max_length=64, verbose_name='scorecard'),
        ),
        migrations.AddField(
            model_name='simulation',
            name='series',
            field=models.CharField(blank=True, default='', max_length=9, verbose_name='series'),
        ),
    ]
