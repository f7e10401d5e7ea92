"""Facts about events; the kinds and their attributes come from the definition that names them."""

from django.utils.translation import gettext_lazy as _

from core.column_facts import column_facts
from core.facts import Collection, Fact, by_name, register
from declarations.attributes import EVENT, EVENT_KIND
from events.models import Event
from merchants.facts import OF_MERCHANT

EVENTS = Collection(
    name="events",
    model=Event,
    label=_("events"),
    singular=_("event"),
    subject=EVENT,
    facts=by_name(
        (Fact("kind", "choice", EVENT_KIND),),
        column_facts(Event, "at buyer_code listing_no order_no", events={"at": _("recorded")}),
        OF_MERCHANT,
    ),
    row_kind=EVENT,
)

register(EVENTS)
