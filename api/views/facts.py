"""Facts recorded by programs, one or many in a request: the checks of file imports, all or nothing."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import problems, serializers
from api.idempotency import KEY_PARAMETER, idempotent
from api.problems import ProblemError, row_error
from core import clock
from imports.importer import ImportResult
from imports.json_rows import import_json_rows
from imports.registry import all_schemas
from imports.schema import FileSchema, RowError
from merchants.models import ApiKey

SCHEMAS: dict[str, FileSchema] = {schema.name: schema for schema in all_schemas()}


class FactsView(APIView):
    scope = ApiKey.Scope.FACTS

    @extend_schema(
        request=serializers.FactsSerializer,
        responses=serializers.ImportResultSerializer,
        parameters=KEY_PARAMETER,
        operation_id="record_facts",
    )
    @idempotent
    def post(self, request: Request, kind: str) -> Response:
        """Record up to 1,000 facts of one kind, new or changed, with the column names of its file. All or nothing."""
        if kind not in SCHEMAS:
            raise Http404
        serializer = serializers.FactsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        result = record(SCHEMAS[kind], serializer.validated_data["facts"], pointer="/facts")
        return Response(serializers.ImportResultSerializer(result).data)


def record(schema: FileSchema, facts: list[dict[str, Any]], *, pointer: str, many: bool = True) -> ImportResult:
    """Record facts of one kind. Raises ProblemError (400) with a pointer to each faulty value.

    `pointer` is the JSON pointer of the list of facts, or of the single fact if not `many`.
    """
    errors: list[RowError] = []
    result = import_json_rows(schema, facts, name=f"api: {schema.name}", now=clock.now(), on_error=errors.append)
    if errors:
        pointed = [row_error(error, f"{pointer}/{error.line}" if many else pointer) for error in errors]
        raise ProblemError(problems.INVALID_FACTS, errors=pointed)
    return result
