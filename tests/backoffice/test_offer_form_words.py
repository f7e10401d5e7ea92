"""Every word of the vocabulary is a field of the builder, and each survives the form as it was written."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from backoffice.offer_form.words import PLACES
from definitions import parser, yaml_roundtrip
from definitions.parser import CampaignDefinition
from rules.base import DefinitionModel
from tests.support.members import words
from tests.support.offer_editor import Editor
from tests.support.world import HEADING, offer


def models(annotation: Any, found: set[type[DefinitionModel]]) -> Iterator[type[DefinitionModel]]:
    """Yield the models that an annotation is made of, and those of their fields, each once."""
    if isinstance(annotation, type) and issubclass(annotation, DefinitionModel) and annotation not in found:
        found.add(annotation)
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation, found)
            yield from (model for extra in field.metadata for model in models(extra, found))
    for part in get_args(annotation):
        yield from models(part, found)


def test_every_word_has_a_field() -> None:
    known = {f"{model.__name__}.{word}" for model in models(CampaignDefinition, set()) for word in model.field_words()}
    assert len(known) > 90  # the walk finds the whole vocabulary
    assert sorted(known - PLACES.keys()) == [], "words without a field: add them to backoffice/offer_form/words.py"
    assert sorted(PLACES.keys() - known) == [], "fields without a word"


def test_every_field_exists() -> None:
    missing = [word for word, (form, name) in PLACES.items() if name and name not in form.base_fields]
    assert missing == []


ROWS = (
    "{fact: service, is: express}",
    "{code: other_service, fact: service, is_not: express}",
    "{fact: line, in: [eu-1, eu-2]}",
    "{code: other_line, fact: line, not_in: near}",
    "{fact: merchant.category_l1, in_reference: easy_return_categories}",
    "{code: other_category, fact: merchant.category_l1, not_in_reference: excluded}",
    "{fact: base_freight, at_least: 1.00}",
    "{code: more, fact: base_freight, more_than: 0.50}",
    "{code: most, fact: base_freight, at_most: 900}",
    "{code: less, fact: base_freight, less_than: 1000}",
    "{fact: paid_at, within: days}",
    "{code: own, fact: paid_at, within: {from: 2022-09-01 00:00:00, to: 2022-09-30 24:00}}",
    "{code: soon, fact: paid_at, within: {first_days: 9, after: placed_at}}",
    "{code: same, fact: placed_at, within: month}",
    "{code: since, fact: paid_at, from: 2022-09-01 12:30:15}",
    "{code: until, fact: paid_at, by: {at: 2022-09-30 23:59:59, twin: {at: 2022-10-01 07:59:59, zone: Asia/Shanghai}}}",
    "{fact: shipped_at, not_before: claim}",
    "{code: hours, fact: placed_at, within_hours: 48}",
    "{fact: cancelled_at, happened: no}",
    "{fact: currency, empty: no}",
    "{fact: use_coupon, is: yes}",
    "{code: member, in_force: membership, of: [export_pass]}",
    "{not_in_force: penalty, of: [embargo], at: placed_at}",
    "{count: freight_templates, where: [{fact: rts_products, at_least: 20}], at_least: 2}",
    "{measure: late_rate, at_most: 10.00}",
    "{code: enough, measure: {count: freight_orders, over: {last_days: 90, at: paid_at}}, at_least: 3}",
    "{code: few, count: freight_orders, where: [{fact: service, is: express}], at_most: 9}",
    "{code: either, any: [{fact: promo_flag, is: no}, {fact: benefit, more_than: 0.00}]}",
)
SHARED = (
    "windows: {days: {from: 2022-09-01 00:00:00, to: 2022-09-30 23:59:59}}\n"
    "measures: {late_rate: {names: {en: Late, zh: 迟}, share: freight_orders, "
    "where: [{fact: shipped_at, happened: no}], over: {period: month, at: paid_at}, otherwise: 0.00}, "
    "sales: {names: {en: Sales, zh: 销售额}, sum: trade_orders.amount_usd, over: {period: own, at: shipped_at}}}\n"
    "lists: {near: {names: {en: near, zh: 近}, values: [eu-3, eu-4]}}\n"
)


@pytest.mark.django_db
@pytest.mark.once(reason="the editing of a text, stored as one column")
@pytest.mark.parametrize(
    "parts",
    [
        {"conditions": "\n" + "\n".join(f"      - {row}" for row in ROWS)},
        {
            "carriers": "[{en: One, zh: 一}]",
            "claim": "{at: {latest_of: [placed_at, paid_at]}}",
            "decided_at": "{at: 2022-10-15 00:00:00, zone: Asia/Shanghai}",
            "settling_hours": "6",
            "benefit": "{fee: freight, currency: CNY, tiers: [{from: 500, below: 1000, amount: 50}, "
            "{from: 1000, percent: 10}]}",
            "settlement": "{at: {day_after: departed_at, zone: UTC}, locked_at: paid_at, lock_within_hours: 24, "
            "fulfilled_at: shipped_at, deadline: 2022-12-31 23:59:59, requires: [{fact: cancelled_at, happened: no}], "
            "released_by: cancelled_at, revoked_by: cancelled_at}",
        },
        {"benefit": "{fee: freight, currency: CNY, slices: [{from: 0, percent: 9}, {from: 5, percent: 0}]}"},
        {"benefit": "{fee: freight, by: {measure: late_rate}, tiers: [{from: 0, percent: 9}, {from: 5, percent: 7}]}"},
        {"benefit": "{fee: freight, currency: CNY, price: 9.90}", "funded_by": "{merchant: 5, platform: 25}"},
        {
            "benefit": "{fee: freight, currency: CNY, percent: 9}",
            "quota": "[{of: grants, at_most: 9}, {of: grants, at_most: 2, per: merchant, in: month}, "
            "{of: amount, at_most: 9.50, currency: CNY, last: partly, in: {calendar: day, zone: Asia/Shanghai}}, "
            "{of: grants, from: 26, per: merchant, in: week}, "
            "{of: grants, from: 3, at_most: 9, per: merchant, in: year}, "
            "{of: grants, at_most: 3, in: days}, {of: grants, at_most: 4, in: {month_from: 5}}, "
            "{of: grants, at_most: 5, in: {weekdays: [sat, sun], from: '09:00', to: '18:00'}}]",
        },
        {"benefit": "{fee: freight, percent: {fact: base_freight}, currency: CNY, at_most: 5}"},
        {
            "subject": "order_item",
            "lookups": "{store_discount: {of: store_discounts, by: listing, where: [{fact: ends_at, happened: no}]}}",
            "claim": "{at: order.first_payment_at}",
            "conditions": "[{fact: store_discount, empty: no}, {fact: store_discount.percent, at_least: 5}]",
            "benefit": "{fee: item_amount, percent: {fact: store_discount.percent}}",
            "quota": "[{of: grants, at_most: {fact: store_discount.stock}, per: store_discount}]",
            "settlement": "",
        },
        {
            "subject": "merchant_period",
            "claim": "{each: month, during: days, at: ends_at}",
            "benefit": "{fee: rebate, of: {measure: sales}, currency: USD, percent: 4}",
            "settlement": "",
        },
        {
            "subject": "merchant_period",
            "claim": "{each: {sessions: [days]}, at: starts_at}",
            "benefit": "{fee: rebate, of: {measure: sales}, currency: USD, percent: 4}",
            "settlement": "",
        },
        {"benefit": "{fee: freight, amount: {fact: base_freight}}"},
        {
            "benefit": "{coupons: {count: 1, for: service_order, price: 1.00, currency: CNY, "
            "valid: {to: 2022-09-30 24:00}, where: [{fact: list_price, at_least: 5.00}]}}",
            "settlement": "",
        },
        {
            "benefit": "{coupons: {count: 1, for: freight_order, value: 1.00, currency: CNY, "
            "valid: {from: 2022-09-01 00:00:00, to: 2022-09-30 24:00}, where: [{fact: service, is: express}]}}",
            "settlement": "",
        },
    ],
)
def test_words_are_kept_as_they_were_written(parts: dict[str, str]) -> None:
    text = yaml_roundtrip.dump(yaml_roundtrip.load(f"{HEADING}{SHARED}offers:\n{offer('ten', **parts)}"))
    parser.read(text)
    editor = Editor(text)
    assert editor.save(), words(editor.html)
    assert editor.source == text
