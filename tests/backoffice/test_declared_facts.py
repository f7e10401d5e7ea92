"""Declared facts in the workspace: forms of campaigns and conditions, copies of offers, files, simulations."""

import io
import re
from datetime import UTC, datetime

import pytest
from openpyxl import load_workbook

from backoffice.offer_form.document import load
from backoffice.offer_form.duplicates import copy_offer
from campaigns.models import Simulation
from campaigns.offers import drafts
from campaigns.simulation import jobs
from declarations.models import DeclaredAttribute, DeclaredEvent
from definitions import parser, yaml_roundtrip
from imports.export_resource import table
from imports.workbook_template import workbook_template
from tests.support.allowances import allowance
from tests.support.importing import SCHEMAS, import_text
from tests.support.offer_editor import Editor
from tests.support.world import HEADING, merchant, offer, publish, t, trade
from trade.models import TradeOrder

pytestmark = [pytest.mark.django_db, pytest.mark.once(reason="pages and files; the engine's tests ask the database")]

DECLARED = """attributes:
  trade_order:
    grade: {type: choice, names: {en: Grade of goods, zh: 品级}, values: {top: {en: Top grade, zh: 一级}}}
    checked_at: {type: instant, names: {en: Checked on, zh: 检查时间}}
events:
  webinar_attended:
    names: {en: Webinar attended, zh: 参加线上课程}
    attributes: {minutes: {type: number, names: {en: Minutes watched, zh: 时长}}}
"""
PARTS = {
    "subject": "trade_order",
    "claim": "{at: completed_at}",
    "benefit": "{fee: service_fee, percent: 10}",
    "settlement": "",
}
CONDITIONS = (
    "[{fact: attributes.grade, in: [top]}, {count: events, where: [{fact: attributes.minutes, at_least: 1.5}],"
    " at_least: 1}]"
)
SOURCE = f"{HEADING}{DECLARED}offers:\n{offer('ten', conditions=CONDITIONS, **PARTS)}"


def test_conditions_offer_declared_facts_with_their_labels() -> None:
    editor = Editor(SOURCE)
    for label in ("Grade of goods", "Top grade", "Minutes watched", "Checked on"):
        assert label in editor.html
    selects = re.findall(r'<select[^>]*name="(?:claim|settlement)-[^>]*>.*?</select>', editor.html, re.S)
    assert "completed_at" in "".join(selects)
    assert "attributes.checked_at" not in "".join(selects)
    assert editor.save()
    assert parser.read(editor.source) == parser.read(SOURCE)


def test_the_campaign_form_writes_declarations() -> None:
    editor = Editor(SOURCE)
    editor.path = f"/admin/drafts/{editor.draft.pk}/campaign/"
    text = editor.value("declarations-attributes")
    assert "grade: {type: choice" in text
    assert not editor.save(**{"declarations-attributes": "a: [b"})
    more = text + "merchant:\n  vip: {type: flag, names: {en: VIP, zh: 贵宾}}\n"
    assert editor.save(**{"declarations-attributes": more})
    assert [*parser.read(editor.source).attributes["merchant"]] == ["vip"]
    assert editor.save(**{"declarations-events": ""})
    assert "events" not in yaml_roundtrip.load(editor.source)
    assert [*yaml_roundtrip.load(editor.source)["attributes"]["trade_order"]] == ["grade", "checked_at"]


def test_a_copy_brings_the_declarations_that_it_names() -> None:
    target = load(f"{HEADING}offers:\n{offer('other')}")
    target["offers"].append(copy_offer(load(SOURCE), "ten", target))
    text = parser.read(yaml_roundtrip.dump(target))
    assert [*text.attributes["trade_order"]] == ["grade"]
    assert [*text.events] == ["webinar_attended"]


def test_a_simulation_uses_declarations_that_are_not_stored() -> None:
    merchant()
    attributes = {"grade": "top"}
    trade("A", completed_at="05", attributes=attributes)
    trade("B", completed_at="05", attributes={})
    where = offer("ten", conditions="[{fact: attributes.grade, is: top}]", **PARTS)
    draft = drafts.begin(f"{HEADING}{DECLARED}offers:\n{where}", title="", at=t("01"), by="ana")
    simulation = jobs.request(draft, until=t("10"), at=t("01"), by="ana")
    jobs.run(simulation, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    assert simulation.status == Simulation.Status.DONE, simulation.error
    assert simulation.table is not None
    rows = list(load_workbook(io.BytesIO(bytes(simulation.table))).active.values)
    assert [row[:4] for row in rows[1:]] == [("ten", "A", "M1", "settled")]
    assert not DeclaredAttribute.objects.exists()
    assert not DeclaredEvent.objects.exists()


def test_exports_are_imported_again_and_templates_have_the_columns(tmp_path: object) -> None:
    publish(offer("ten", conditions=CONDITIONS, **PARTS), heading=HEADING + DECLARED)
    merchant()
    schema = SCHEMAS["trade_orders"]
    trade("A", attributes={"grade": "top", "checked_at": "2022-09-01 00:00:00.500000+00:00"})
    trade("B")
    header, *rows = table(schema, TradeOrder.objects.order_by("pk"))
    assert header[-2:] == ["attributes.grade", "attributes.checked_at"]
    checked = datetime(2022, 9, 1, microsecond=500_000, tzinfo=UTC)
    assert [tuple(row[-2:]) for row in rows] == [("top", checked), (None, None)]
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in (header, *rows)]
    assert import_text("trade_orders", "\n".join(lines), tmp_path).counts == (0, 0, 2)  # type: ignore[arg-type]
    sheet = load_workbook(io.BytesIO(workbook_template(schema))).worksheets[0]
    assert [cell.value for cell in sheet[1]][-2:] == ["attributes.grade", "attributes.checked_at"]


def test_the_campaign_form_writes_allowances_and_entitlements() -> None:
    """Rows that stay are kept as written, with unknown words; a new one has every word; conditions open on demand."""
    cases = "{cases: [{when: [{fact: merchant.country, is: CN}], is: 9.00}], otherwise: 7.50}"
    rows = allowance("mails", "mail") + allowance(
        "quotes", "quote", in_="{calendar: month, from_day: 5}", collected="yes"
    )
    rate = f"  - {{code: rate, names: {{en: Rate, zh: 利率}}, holder: merchant, conditions: everyone, value: {cases}}}"
    source = f"{HEADING}allowances:\n{rows}entitlements:\n{rate}  # agreed\noffers:\n{offer('ten')}"
    editor = Editor(source)
    editor.path = f"/admin/drafts/{editor.draft.pk}/campaign/"
    sent = {"allowances-1-collected": "on"}
    assert not editor.save(**sent, **{"entitlements-0-value": "cases: ["})
    assert not editor.save(**sent, **{"entitlements-0-value": cases, "allowances-2-code": "calls"})
    new = {"names_en": "Calls", "names_zh": "电话", "use": "call", "period": "month", "units": "2"}
    assert editor.save(**sent, **{f"allowances-2-{name}": value for name, value in new.items()})
    text, before = parser.read(editor.source), parser.read(source)
    assert text.allowances[:2] == before.allowances
    assert text.entitlements == before.entitlements
    assert "# agreed" in editor.source
    calls = text.allowances[2]
    assert (calls.code, str(calls.units), calls.collected) == ("calls", "2", False)
    assert calls.conditions == "everyone"
    assert "Edit 1 condition" in editor.html
    editor.change(open="allowances-0")
    assert editor.value("allowances-0-conditions-0-fact") == "=membership"
    assert editor.save(**sent, **{"allowances-0-conditions-0-DELETE": "on"})
    assert parser.read(editor.source).allowances[0].conditions == "everyone"
