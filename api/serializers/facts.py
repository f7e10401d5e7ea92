"""Facts recorded by programs."""

from rest_framework import serializers

from api.serializers.fields import Base


class FactsSerializer(Base):
    facts = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=1000)
    allow_moves = serializers.BooleanField(
        default=False, help_text="Allow facts that give a recorded row to another merchant or order."
    )


class ImportResultSerializer(Base):
    rows = serializers.IntegerField()
    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    future = serializers.IntegerField()


class FactSerializer(Base):
    """A recorded fact, with the column names of its file."""

    kind = serializers.CharField(help_text="Name of the file of facts.")
    fact = serializers.DictField()
