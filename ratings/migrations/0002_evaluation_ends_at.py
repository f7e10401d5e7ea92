from datetime import UTC, datetime

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ratings', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='evaluation',
            name='ends_at',
            field=models.DateTimeField(default=datetime(1970, 1, 1, tzinfo=UTC), verbose_name='in force until'),
            preserve_default=False,
        ),
    ]
