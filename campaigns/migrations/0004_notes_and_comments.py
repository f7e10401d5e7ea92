"""Notes to merchants and comments on drafts, both append-only."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

TABLES = ("campaigns_note", "campaigns_draftcomment")
append_only = import_module("campaigns.migrations.0002_append_only")


def guard(apps, schema_editor):
    for table in TABLES:
        for text in append_only.triggers(schema_editor).values():
            schema_editor.execute(text.format(table), params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0003_notices'),
        ('merchants', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='message',
            name='event',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='campaigns.outboxevent', verbose_name='event'),
        ),
        migrations.AlterField(
            model_name='message',
            name='topic',
            field=models.CharField(choices=[('granted', 'a benefit was granted'), ('issued', 'coupons were issued'), ('expiring', 'coupons expire in 5 days'), ('refused', 'the quota was used up for a claim'), ('revoked', 'a benefit or coupon was taken away or forfeited'), ('progress', 'a benefit moved on: settled, attached, redeemed, given back, expired'), ('note', 'a message from the marketplace')], max_length=8, verbose_name='topic'),
        ),
        migrations.CreateModel(
            name='DraftComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=2000, verbose_name='text')),
                ('quote', models.CharField(blank=True, max_length=300, verbose_name='quoted line')),
                ('by', models.CharField(max_length=150, verbose_name='by')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('draft', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='campaigns.draft', verbose_name='draft')),
            ],
            options={
                'verbose_name': 'comment on a draft',
                'verbose_name_plural': 'comments on drafts',
            },
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=1000, verbose_name='text')),
                ('by', models.CharField(max_length=150, verbose_name='by')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='merchants.merchant', verbose_name='merchant')),
            ],
            options={
                'verbose_name': 'message to a merchant',
                'verbose_name_plural': 'messages to merchants',
                'permissions': [('write_to_merchant', 'Can send messages to merchants')],
            },
        ),
        migrations.AddField(
            model_name='message',
            name='note',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='campaigns.note', verbose_name='note'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('event', None), ('note__isnull', False)), models.Q(('event__isnull', False), ('note', None)), _connector='OR'), name='message_of_one_source'),
        ),
        migrations.RunPython(guard, migrations.RunPython.noop, elidable=False),
    ]
