"""Monthly statements."""

import re
from datetime import UTC, date, datetime

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import problem_types, queries, serializers
from api.authentication import key_of
from api.pagination import list_response
from api.problems import ProblemError
from api.views.base import ReadView
from campaigns.ledger import statements
from core.instants import is_accepted

MONTH = OpenApiParameter("month", {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}, OpenApiParameter.PATH)


class StatementView(ReadView):
    query_serializer = queries.StatementQuery

    @extend_schema(
        responses=serializers.StatementPageSerializer,
        parameters=[MONTH, queries.StatementQuery],
        operation_id="get_statement",
    )
    def get(self, request: Request, month: str) -> Response:
        """Return what was settled and redeemed in a month such as `2022-09`, for the merchants that the key may see."""
        offer, merchant = self.query.get("offer"), self.query.get("merchant")
        whose, payer = key_of(request).merchant_id or merchant, self.query.get("payer", "")
        lines = [
            line
            for line in statements.lines(_month(month), only=whose, payer=payer)
            if offer in (None, line.offer) and merchant in (None, line.merchant)
        ]
        return list_response(serializers.StatementLineSerializer, lines, request, self.query)


def _month(text: str) -> date:
    """Return the first day of a month. Raises ProblemError (400) unless it is written as `2022-09`."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
            month = date.fromisoformat(f"{text}-01")
            if is_accepted(datetime(month.year, month.month, 1, tzinfo=UTC)):
                return month
    except ValueError:
        pass
    error = queries.parameter_error("month", "invalid", _("This is not a month such as 2022-09."))
    raise ProblemError(problem_types.INVALID, errors=[error])
