"""Add notices of allowances, and the messages that tell of them."""

import core.db.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0013_quarantine_stages'),
        ('merchants', '0003_merchant_attributes'),
    ]

    operations = [
        migrations.CreateModel(
            name='AllowanceNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', core.db.fields.KeyField(max_length=40, verbose_name='period')),
                ('starts_at', models.DateTimeField(verbose_name='starts at')),
                ('ends_at', models.DateTimeField(verbose_name='ends at')),
                ('sent_at', models.DateTimeField(verbose_name='sent at')),
            ],
            options={
                'verbose_name': 'notice of an allowance',
                'verbose_name_plural': 'notices of allowances',
            },
        ),
        migrations.RemoveConstraint(
            model_name='message',
            name='message_of_one_source',
        ),
        migrations.AddField(
            model_name='allowancenotice',
            name='document',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='campaigns.document', verbose_name='allowance'),
        ),
        migrations.AddField(
            model_name='message',
            name='allowance',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='campaigns.allowancenotice', verbose_name='allowance'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('allowance', None), ('event__isnull', False), ('note', None)), models.Q(('allowance', None), ('event', None), ('note__isnull', False)), models.Q(('allowance__isnull', False), ('event', None), ('note', None)), _connector='OR'), name='message_of_one_source'),
        ),
        migrations.AddConstraint(
            model_name='allowancenotice',
            constraint=models.UniqueConstraint(fields=('document', 'period'), name='allowance_notice_once'),
        ),
    ]
