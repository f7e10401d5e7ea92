"""Facts that programs tell, single or in batches: with the same checks as files, all or none."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import serializers
from api.idempotency import ONCE, idempotent
from api.problems import ProblemError, pointed
from core import clock
from imports.importer import ImportResult
from imports.json_rows import import_json_rows
from imports.registry import all_schemas
from imports.schema import FileSchema, RowError
from merchants.models import ApiKey

FACTS: dict[str, FileSchema] = {file.name: file for file in all_schemas()}


def take(file: FileSchema, facts: list[dict[str, Any]], at: str, *, many: bool = True) -> ImportResult:
    """Record the facts of a kind, pointing at each that is wrong from the pointer `at`. Raises ProblemError, 400."""
    complaints: list[RowError] = []
    outcome = import_json_rows(file, facts, name=f"api: {file.name}", now=clock.now(), on_error=complaints.append)
    if complaints:
        errors = [pointed(one, f"{at}/{one.line}" if many else at) for one in complaints]
        raise ProblemError(
            400, "invalid", _("Nothing was recorded: something in the facts is wrong; see errors."), errors
        )
    return outcome


class Facts(APIView):
    scope = ApiKey.Scope.FACTS

    @extend_schema(
        request=serializers.FactsShape, responses=serializers.TakenShape, parameters=ONCE, operation_id="record_facts"
    )
    @idempotent
    def post(self, request: Request, kind: str) -> Response:
        """Record up to 1,000 facts of a kind, named as in its file: new or changed. All or none."""
        if kind not in FACTS:
            raise Http404
        asked = serializers.FactsShape(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(serializers.TakenShape(take(FACTS[kind], asked.validated_data["facts"], "/facts")).data)
