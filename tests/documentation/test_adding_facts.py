"""The page on adding facts, followed word by word: its app works, and no other module changes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adding-facts.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^\*\*([\w/.]+)\*\*\n\n```\w+\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))
SETTINGS = """
from config.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "inspections"]
"""
MERCHANTS = "merchant_code,country\nM1,CN\n"
PROGRAM = """
import json
import sys

import django
from django.core.management import call_command

django.setup()
for command in json.loads(sys.argv[1]):
    call_command(*command.split())

from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from campaigns.monitoring import invariants
from campaigns.models import Decision, Grant
from dashboard.order_types import order_types
from definitions.json_schema import json_schema
from inspections.models import Inspection

schema = json_schema()
permissions = Group.objects.get(name="operator").permissions.filter(content_type__app_label="inspections")
print(json.dumps({
    "rows": Inspection.objects.count(),
    "decided": sorted(decision.subject for decision in Decision.objects.all()),
    "grants": {g.subject: [str(g.amount), g.currency] for g in Grant.objects.all()},
    "admin": admin.site.is_registered(Inspection),
    "page": reverse("admin:inspections_inspection_changelist"),
    "operator": sorted(permissions.values_list("codename", flat=True)),
    "subjects": schema["$defs"]["OfferTerms"]["properties"]["subject"]["enum"],
    "fees": schema["$defs"]["Discount"]["properties"]["fee"]["enum"],
    "counted": schema["$defs"]["Counting"]["properties"]["count"]["enum"],
    "rest": sorted(SchemaGenerator().get_schema(public=True)["components"]["schemas"]),
    "order_types": list(order_types()),
    "violations": [str(violation) for violation in invariants.check()],
}), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Write the files of the page and settings that install the app, follow its commands, and report the result."""
    place = tmp_path_factory.mktemp("adding-facts")
    for name, content in {**FILES, "inspections/__init__.py": "", "extended_settings.py": SETTINGS}.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(content, encoding="utf-8")
    folder = place / "facts"
    folder.mkdir()
    (folder / "merchants.csv").write_text(MERCHANTS, encoding="utf-8")
    (place / "inspections.csv").rename(folder / "inspections.csv")
    commands = [
        command.replace("FOLDER", str(folder)) for command in re.findall(r"^python manage.py (.*)$", PAGE, re.M)
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(place), str(ROOT)]),
        "DJANGO_SETTINGS_MODULE": "extended_settings",
        "DATABASE_URL": f"sqlite:///{place / 'facts.sqlite3'}",
    }
    program = [sys.executable, "-c", PROGRAM, json.dumps(commands)]
    done = subprocess.run(program, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    found: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return found


def test_its_file_is_imported(report: dict[str, Any]) -> None:
    assert report["rows"] == 3


def test_its_rows_are_counted_and_are_subjects_of_an_offer(report: dict[str, Any]) -> None:
    assert report["grants"] == {"I3": ["40.00", "USD"]}
    assert report["decided"] == ["I2", "I3"]


def test_operators_see_and_import_it_in_the_admin(report: dict[str, Any]) -> None:
    assert report["admin"] and report["page"] == "/admin/inspections/inspection/"
    assert report["operator"] == ["add_inspection", "view_inspection"]


def test_definitions_know_its_words(report: dict[str, Any]) -> None:
    assert "inspection" in report["subjects"]
    assert "inspection_fee" in report["fees"]
    assert "inspections" in report["counted"]


def test_programs_can_record_it(report: dict[str, Any]) -> None:
    assert "Fact_inspections" in report["rest"]


def test_merchants_see_it_in_a_list(report: dict[str, Any]) -> None:
    assert report["order_types"] == ["freight", "trade", "financing", "services", "requests", "inspections"]


def test_every_invariant_holds(report: dict[str, Any]) -> None:
    assert report["violations"] == []
