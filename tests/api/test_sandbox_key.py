"""The published key of demonstrations works there, and nowhere else."""

import pytest
from django.utils import timezone
from pytest_django import Settings

from merchants import api_keys
from merchants.models import ApiKey
from tests.support.programs import Program

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="one row, not SQL")]


def test_the_sandbox_key_works_in_a_demonstration_only(platform: Program, settings: Settings) -> None:
    for _ in range(2):
        api_keys.ensure_sandbox(at=timezone.now())
    sandbox = Program(api_keys.SANDBOX)
    assert sandbox.get("offers/").status == 200
    settings.DEMO = False
    assert (sandbox.get("offers/").status, platform.get("offers/").status) == (401, 200)


def test_the_sandbox_key_issues_no_keys(platform: Program) -> None:
    api_keys.ensure_sandbox(at=timezone.now())
    before = ApiKey.objects.count()
    refused = Program(api_keys.SANDBOX).post("keys/", {"name": "x", "scopes": ["read"]})
    assert (refused.status, refused.body["code"], ApiKey.objects.count()) == (403, "scope_missing", before)
