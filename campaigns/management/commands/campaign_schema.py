"""Write the JSON Schema of a campaign file, for editors that check while one types."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from campaigns.definition.schema import schema


class Command(BaseCommand):
    help = "Write the JSON Schema of a campaign file to standard output."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False))
