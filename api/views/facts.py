"""Facts recorded by programs, one or many in a request: the checks of file imports, all or nothing."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import fact_rows, problem_types, queries, serializers
from api.authentication import key_of, merchants_of
from api.idempotency import KEY_PARAMETER, idempotent
from api.pagination import page_of_rows
from api.problems import ProblemError, row_error
from api.views.base import ApiView, ReadView
from core import clock
from imports.declared_columns import with_declared
from imports.importer import ImportResult
from imports.json_rows import JsonOptions, Mode, import_json_rows
from imports.registry import all_schemas
from imports.schema import FileSchema, RowError
from merchants.models import ApiKey

MOST_ERRORS = 1_000
"""Errors that a request is told of. A request may have a hundred times as many, each of them larger than its value."""
SCHEMAS: dict[str, FileSchema] = {schema.name: schema for schema in all_schemas()}


KIND = OpenApiParameter("kind", {"type": "string", "enum": list(SCHEMAS)}, OpenApiParameter.PATH)


class FactsView(ApiView):
    scope = ApiKey.Scope.FACTS
    scopes = {"GET": ApiKey.Scope.READ}
    query_serializers = {"GET": queries.MerchantQuery}

    @extend_schema(
        parameters=[KIND, queries.MerchantQuery],
        responses=serializers.FactPageSerializer,
        operation_id="list_facts",
    )
    def get(self, request: Request, kind: str) -> Response:
        """List the recorded facts of one kind, of one merchant or of all that the key may see."""
        schema = with_declared(_schema(kind))
        rows = _visible(schema, request)
        if "merchant" in self.query:
            rows = fact_rows.of_merchant(schema, rows, self.query["merchant"])
        paginator, page = page_of_rows(rows, request, self.query)
        return paginator.get_paginated_response([fact_rows.as_json(schema, row) for row in page])

    @extend_schema(
        request=serializers.FactsSerializer,
        responses=serializers.ImportResultSerializer,
        parameters=[KIND, *KEY_PARAMETER],
        operation_id="record_facts",
    )
    @idempotent
    def post(self, request: Request, kind: str) -> Response:
        """Record up to 1,000 facts of one kind, new or changed, with the column names of its file. All or nothing.

        Columns that a fact leaves out keep their values; null empties one.
        """
        return _record_all(request, kind, Mode.RECORD)

    @extend_schema(
        request=serializers.FactsSerializer,
        responses=serializers.ImportResultSerializer,
        parameters=[KIND, *KEY_PARAMETER],
        operation_id="change_facts",
    )
    @idempotent
    def patch(self, request: Request, kind: str) -> Response:
        """Change up to 1,000 recorded facts: the key and the columns that change. All or nothing.

        A fact that is not recorded is an error.
        """
        return _record_all(request, kind, Mode.CHANGE)

    @extend_schema(
        request=serializers.FactsSerializer,
        responses=serializers.ImportResultSerializer,
        parameters=[KIND, *KEY_PARAMETER],
        operation_id="replace_facts",
    )
    @idempotent
    def put(self, request: Request, kind: str) -> Response:
        """Record up to 1,000 facts of one kind, each as a whole: columns left out are emptied. All or nothing."""
        return _record_all(request, kind, Mode.REPLACE)


class FactView(ReadView):
    @extend_schema(parameters=[KIND], responses=serializers.FactSerializer, operation_id="get_fact")
    def get(self, request: Request, kind: str, key: str) -> Response:
        """Return a recorded fact of a kind that has one column as its key, such as an order."""
        schema = with_declared(_schema(kind))
        if len(schema.key) > 1:
            raise Http404
        rows = _visible(schema, request)
        return Response(fact_rows.as_json(schema, get_object_or_404(rows, pk=key)))


def _visible(schema: FileSchema, request: Request) -> QuerySet[Model]:
    of_platform = key_of(request).merchant_id is None
    return fact_rows.visible(schema, merchants_of(request).values("pk"), of_platform=of_platform)


def _schema(kind: str) -> FileSchema:
    if kind not in SCHEMAS:
        raise Http404
    return SCHEMAS[kind]


def _record_all(request: Request, kind: str, mode: Mode) -> Response:
    schema = _schema(kind)
    serializer = serializers.FactsSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    body = serializer.validated_data
    result = record(schema, body["facts"], mode=mode, allow_moves=body["allow_moves"])
    return Response(serializers.ImportResultSerializer(result).data)


def record(
    schema: FileSchema,
    facts: list[dict[str, Any]],
    *,
    mode: Mode = Mode.RECORD,
    allow_moves: bool = False,
    pointer: str | None = None,
) -> ImportResult:
    """Record facts of one kind. Raises ProblemError (400) with a pointer to each faulty value, the first MOST_ERRORS.

    `pointer` is the JSON pointer of a single fact; without it the facts are in the list `/facts`.
    """
    errors: list[RowError] = []
    options = JsonOptions(name=f"api: {schema.name}", now=clock.now(), mode=mode, allow_moves=allow_moves)

    def collect(error: RowError) -> None:
        errors.append(error)
        if len(errors) == MOST_ERRORS:
            raise _faulty(errors, pointer)

    result = import_json_rows(schema, facts, options, on_error=collect)
    if errors:
        raise _faulty(errors, pointer)
    return result


def _faulty(errors: list[RowError], pointer: str | None) -> ProblemError:
    pointed = [row_error(error, f"/facts/{error.line}" if pointer is None else pointer) for error in errors]
    return ProblemError(problem_types.INVALID_FACTS, errors=pointed)
