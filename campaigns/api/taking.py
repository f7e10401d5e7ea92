"""Facts that programs tell, single or in batches: with the same checks as files, all or none."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import clock
from campaigns.api import shapes
from campaigns.api.idempotency import ONCE, once
from campaigns.api.problems import ProblemError, pointed
from campaigns.intake import FILES
from merchants.intake.calls import take_facts
from merchants.intake.files import Complaint, FactFile
from merchants.intake.taking import Outcome
from merchants.models import ApiKey

FACTS: dict[str, FactFile] = {file.name: file for file in FILES}


def take(file: FactFile, facts: list[dict[str, Any]], at: str, *, many: bool = True) -> Outcome:
    """Record the facts of a kind, pointing at each that is wrong from the pointer `at`. Raises ProblemError, 400."""
    complaints: list[Complaint] = []
    outcome = take_facts(file, facts, name=f"api: {file.name}", now=clock.now(), report=complaints.append)
    if complaints:
        errors = [pointed(one, f"{at}/{one.line}" if many else at) for one in complaints]
        raise ProblemError(
            400, "invalid", _("Nothing was recorded: something in the facts is wrong; see errors."), errors
        )
    return outcome


class Facts(APIView):
    scope = ApiKey.Scope.FACTS

    @extend_schema(request=shapes.FactsShape, responses=shapes.TakenShape, parameters=ONCE, operation_id="record_facts")
    @once
    def post(self, request: Request, kind: str) -> Response:
        """Record up to 1,000 facts of a kind, named as in its file: new or changed. All or none."""
        if kind not in FACTS:
            raise Http404
        asked = shapes.FactsShape(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(shapes.TakenShape(take(FACTS[kind], asked.validated_data["facts"], "/facts")).data)
