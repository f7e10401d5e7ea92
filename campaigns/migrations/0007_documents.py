"""Add documents beside offers; their versions are append-only, and the audit log stays so."""

from importlib import import_module

import core.db.fields
import django.db.models.deletion
from django.db import migrations, models

append_only = import_module("campaigns.migrations.0002_append_only")


def guard(apps, schema_editor):
    # SQLite has rebuilt the audit log without its triggers; PostgreSQL keeps them.
    rebuilt = [] if schema_editor.connection.vendor == "postgresql" else ["campaigns_auditevent"]
    for table in (*rebuilt, "campaigns_documentversion"):
        for text in append_only.triggers(schema_editor).values():
            schema_editor.execute(text.format(table), params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0006_longer_subjects'),
    ]

    operations = [
        migrations.CreateModel(
            name='Document',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name_en', models.CharField(max_length=200, verbose_name='name in English')),
                ('name_zh', models.CharField(max_length=200, verbose_name='name in Chinese')),
                ('kind', models.CharField(max_length=20, verbose_name='kind')),
                ('code', core.db.fields.KeyField(max_length=64, unique=True, verbose_name='document')),
            ],
            options={
                'verbose_name': 'document',
                'verbose_name_plural': 'documents',
            },
        ),
        migrations.CreateModel(
            name='DocumentVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='version')),
                ('definition', models.JSONField(verbose_name='definition')),
                ('digest', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('published_at', models.DateTimeField(verbose_name='published at')),
                ('published_by', models.CharField(max_length=150, verbose_name='published by')),
            ],
            options={
                'verbose_name': 'version of a document',
                'verbose_name_plural': 'versions of documents',
            },
        ),
        migrations.RemoveConstraint(
            model_name='auditevent',
            name='act_on_something',
        ),
        migrations.AddField(
            model_name='document',
            name='campaign',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='documents', to='campaigns.campaign', verbose_name='campaign'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='document',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='acts', to='campaigns.document', verbose_name='document'),
        ),
        migrations.AddConstraint(
            model_name='auditevent',
            constraint=models.CheckConstraint(condition=models.Q(('offer__isnull', False), ('draft__isnull', False), ('document__isnull', False), _connector='OR'), name='act_on_something'),
        ),
        migrations.AddField(
            model_name='documentversion',
            name='document',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='campaigns.document', verbose_name='document'),
        ),
        migrations.AddField(
            model_name='document',
            name='version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='campaigns.documentversion', verbose_name='version'),
        ),
        migrations.AddConstraint(
            model_name='documentversion',
            constraint=models.UniqueConstraint(fields=('document', 'number'), name='document_version_once'),
        ),
        migrations.RunPython(guard, migrations.RunPython.noop, elidable=False),
    ]
