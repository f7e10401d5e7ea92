"""Add allowances, uses and their append-only journal."""

from importlib import import_module

import core.db.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

append_only = import_module("campaigns.migrations.0002_append_only")
TABLE = "campaigns_allowanceentry"


def guard(apps, schema_editor):
    for text in append_only.triggers(schema_editor).values():
        schema_editor.execute(text.format(TABLE), params=None)


def release(apps, schema_editor):
    on = f" ON {TABLE}" if schema_editor.connection.vendor == "postgresql" else ""
    for name in append_only.triggers(schema_editor):
        schema_editor.execute(f"DROP TRIGGER {TABLE}_{name}{on}", params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0010_kinds_of_orders'),
        ('merchants', '0003_merchant_attributes'),
        ('services', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='UseProgress',
            fields=[
                ('use', core.db.fields.KeyField(max_length=64, primary_key=True, serialize=False, verbose_name='use')),
                ('decided_until', models.DateTimeField(null=True, verbose_name='decided until')),
            ],
            options={
                'verbose_name': 'progress of a use',
                'verbose_name_plural': 'progress of uses',
            },
        ),
        migrations.CreateModel(
            name='Allowance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', core.db.fields.KeyField(max_length=40, verbose_name='period')),
                ('starts_at', models.DateTimeField(verbose_name='starts at')),
                ('ends_at', models.DateTimeField(verbose_name='ends at')),
                ('units', models.BigIntegerField(verbose_name='units')),
                ('used', models.BigIntegerField(default=0, verbose_name='used')),
                ('request_no', core.db.fields.KeyField(blank=True, max_length=64, verbose_name='request')),
                ('collected_at', models.DateTimeField(blank=True, null=True, verbose_name='collected at')),
                ('document', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='allowances', to='campaigns.document', verbose_name='allowance')),
                ('merchant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='allowances', to='merchants.merchant', verbose_name='merchant')),
                ('version', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.documentversion', verbose_name='version')),
            ],
            options={
                'verbose_name': 'allowance',
                'verbose_name_plural': 'allowances',
                'constraints': [models.UniqueConstraint(fields=('merchant', 'document', 'period'), name='allowance_once_a_period'), models.CheckConstraint(condition=models.Q(('used__gte', 0), ('used__lte', models.F('units'))), name='allowance_not_overspent'), models.CheckConstraint(condition=models.Q(models.Q(('collected_at', None), ('request_no', '')), models.Q(models.Q(('request_no', ''), _negated=True), ('collected_at__isnull', False)), _connector='OR'), name='allowance_collected_by_request')],
            },
        ),
        migrations.CreateModel(
            name='AllowanceEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', core.db.fields.KeyField(max_length=40, verbose_name='period')),
                ('kind', models.CharField(choices=[('collected', 'collected'), ('used', 'used'), ('returned', 'returned')], max_length=9, verbose_name='change')),
                ('units', models.BigIntegerField(verbose_name='units')),
                ('reference', core.db.fields.KeyField(max_length=64, verbose_name='usage or request')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('by', models.CharField(max_length=150, verbose_name='by')),
                ('reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                ('recorded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='recorded at')),
                ('document', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='campaigns.document', verbose_name='allowance')),
                ('merchant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='merchants.merchant', verbose_name='merchant')),
                ('version', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.documentversion', verbose_name='version')),
            ],
            options={
                'verbose_name': 'journal entry of an allowance',
                'verbose_name_plural': 'journal of allowances',
                'indexes': [models.Index(fields=['merchant', 'at'], name='allowance_entry_of_merchant')],
            },
        ),
        migrations.CreateModel(
            name='UsageDecision',
            fields=[
                ('usage', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='decision', serialize=False, to='services.usage', verbose_name='usage')),
                ('use', core.db.fields.KeyField(max_length=64, verbose_name='use')),
                ('used_at', models.DateTimeField(verbose_name='used at')),
                ('result', models.CharField(choices=[('accepted', 'accepted'), ('no_allowance', 'no allowance'), ('nothing_left', 'nothing left')], max_length=12, verbose_name='result')),
                ('period', core.db.fields.KeyField(blank=True, max_length=40, verbose_name='period')),
                ('taken', models.BigIntegerField(default=0, verbose_name='units taken')),
                ('returned', models.BigIntegerField(default=0, verbose_name='units returned')),
                ('returned_at', models.DateTimeField(blank=True, null=True, verbose_name='returned at')),
                ('document', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='campaigns.document', verbose_name='allowance')),
                ('merchant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='merchants.merchant', verbose_name='merchant')),
            ],
            options={
                'verbose_name': 'decision on a use',
                'verbose_name_plural': 'decisions on uses',
                'indexes': [models.Index(fields=['merchant', 'use', 'used_at'], name='use_decided_of_merchant')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('document__isnull', False), ('result', 'accepted')), models.Q(models.Q(('result', 'accepted'), _negated=True), ('document', None), ('returned', 0), ('returned_at', None), ('taken', 0)), _connector='OR'), name='use_accepted_by_allowance'), models.CheckConstraint(condition=models.Q(('returned__gte', 0), ('taken__gte', 0)), name='use_units_not_negative')],
            },
        ),
        migrations.RunPython(guard, release, elidable=False),
    ]
