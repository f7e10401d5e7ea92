"""Write the JSON Schema of a campaign file, for editors that check while one types."""

import json

from django.core.management.base import BaseCommand

from definitions.json_schema import json_schema


class Command(BaseCommand):
    help = "Write the JSON Schema of a campaign file to standard output."

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False))
