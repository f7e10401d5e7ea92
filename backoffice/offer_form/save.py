"""Writing the offer form into the YAML text of an offer: only what was changed is written anew."""

from collections.abc import Callable, Mapping
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from backoffice.offer_form.conditions import STATE_PREFIX, ConditionForm
from backoffice.offer_form.fields import SectionForm
from backoffice.offer_form.offer import OfferForm
from backoffice.offer_form.rows import RowFormSet
from backoffice.offer_form.sections import BenefitForm, TierForm, form_of
from definitions import reschedule, yaml_roundtrip


def write_offer(offer: Any, form: OfferForm) -> None:
    """Write a valid form into the offer of a `yaml_roundtrip` document, in place."""
    basics = form.basics.cleaned_data
    for language in ("en", "zh"):
        put(offer.setdefault("names", flow_mapping({})), language, basics[f"names_{language}"])
    put(offer, "subject", basics["subject"])
    _write_rows(offer, "where", form.where, _condition, no_rows="all")
    _write_claim(offer, form.claim)
    _write_rows(offer, "conditions", form.conditions, _condition, no_rows="everyone")
    _write_benefit(offer, form)
    quota = form.quota.cleaned_data
    if any(quota.values()) or "quota" in offer:
        for key, value in quota.items():
            put(offer.setdefault("quota", flow_mapping({})), key, value)
        if not offer["quota"]:
            del offer["quota"]
    _write_yaml(offer, "settlement", form.settlement)


def flow_mapping(values: Mapping[str, Any]) -> CommentedMap:
    """Return a mapping that is written on one line."""
    mapping = CommentedMap(values)
    mapping.fa.set_flow_style()
    return mapping


def flow_list(values: list[str]) -> CommentedSeq:
    """Return a list that is written on one line."""
    sequence = CommentedSeq(values)
    sequence.fa.set_flow_style()
    return sequence


def put(target: Any, key: str, value: Any) -> None:
    """Write a value where it differs from the saved one; an empty value removes the key."""
    if value in ("", None):
        target.pop(key, None)
    elif str(target.get(key)) != value if isinstance(value, str) else target.get(key) is not value:
        target[key] = value


def bound(form: SectionForm, prefix: str, saved: object) -> Any:
    """Return a time with its time zone: the saved one where it is the same, None where it is empty.

    A `twin`, the same instant on another clock, is recalculated when the time changes.
    """
    at = form.cleaned_data[f"{prefix}at"]
    zone = form.cleaned_data[f"{prefix}zone"] or form.campaign.zone
    if not at:
        return None
    old = saved if isinstance(saved, dict) else {"at": saved}
    if old.get("at") == at and old.get("zone", form.campaign.zone) == zone:
        return saved
    new = flow_mapping({"at": at} | ({"zone": zone} if zone != form.campaign.zone else {}))
    twin = old.get("twin")
    if isinstance(twin, dict):
        new["twin"] = flow_mapping({"at": reschedule.shown_on(at, zone, twin["zone"]), "zone": twin["zone"]})
    return new


def _write_yaml(target: object, key: str, form: SectionForm) -> None:
    if "raw" in form.changed_data:
        text = form.cleaned_data["raw"]
        put(target, key, yaml_roundtrip.load(text) if text else None)


def _write_claim(offer: Any, form: SectionForm) -> None:
    if "raw" in form.visible_names():
        _write_yaml(offer, "claim", form)
    else:
        put(offer.setdefault("claim", flow_mapping({})), "at", form.cleaned_data["at"])
    put(offer, "decided_at", bound(form, "decided_", offer.get("decided_at")))
    put(offer, "settling_hours", form.cleaned_data["settling_hours"])


def _write_rows(
    target: Any, key: str, formset: RowFormSet, to_row: Callable[[Any, Any], Any], *, no_rows: str = ""
) -> None:
    """Write the rows of a formset; `no_rows` is the word for an empty list."""
    if not formset.is_bound:
        return
    saved = target.get(key)
    rows = [to_row(form, old) for form, old in formset.filled_forms()]
    if not rows:
        put(target, key, no_rows)
    elif not isinstance(saved, list):
        target[key] = CommentedSeq(rows)
    elif len(rows) != len(saved) or any(new is not old for new, old in zip(rows, saved, strict=True)):
        # In place: comments between rows that stay are kept.
        for n, row in enumerate(rows[: len(saved)]):
            if saved[n] is not row:
                saved[n] = row
        del saved[len(rows) :]
        saved.extend(rows[len(saved) :])


def _condition(form: ConditionForm, saved: object) -> Any:
    """Return the condition of a row: the saved object where nothing changed."""
    if saved is not None and not form.has_changed():
        return saved
    data = form.cleaned_data
    if "raw" in form.visible_names():
        return yaml_roundtrip.load(data["raw"])
    old = saved if isinstance(saved, dict) else {}
    if form.is_state:
        kept = {key: value for key, value in old.items() if key == "code" or (key == "at" and "of" in old)}
        state = data["fact"].removeprefix(STATE_PREFIX)
        new = flow_mapping({**kept, data["force"] or "in_force": state, "of": flow_list(data["of"])})
    else:
        code = {"code": old["code"]} if "code" in old else {}
        new = flow_mapping({**code, "fact": data["fact"], data["op"]: _operand(form, old.get(data["op"]))})
    return saved if saved is not None and dict(new) == dict(old) else new


def _operand(form: ConditionForm, saved: object) -> Any:
    data, visible = form.cleaned_data, form.visible_names()
    match data["op"]:
        case "in" | "not_in":
            return _values(form, saved)
        case "within":
            if "start_at" not in visible:
                return data["window"]
            old = saved if isinstance(saved, dict) else {}
            ends = {"from": bound(form, "start_", old.get("from")), "to": bound(form, "end_", old.get("to"))}
            return saved if old and all(ends[key] is old.get(key) for key in ends) else flow_mapping(ends)
        case "from" | "by" | "not_before":
            return bound(form, "", saved) or "claim"
    return data[visible[-1]]


def _values(form: ConditionForm, saved: Any) -> Any:
    data, visible = form.cleaned_data, form.visible_names()
    own = next((name for name in ("choices", "values") if name in visible), None)
    if own is None:
        return data["named_list"]
    old = saved.get("values", ()) if isinstance(saved, dict) else saved or ()
    same = not isinstance(saved, str) and [str(value) for value in old] == data[own]
    return saved if saved is not None and same else flow_list(data[own])


def _write_benefit(offer: Any, form: OfferForm) -> None:
    kind, saved = form.benefit.benefit_form, offer.get("benefit")
    if saved is None or form_of(saved) != kind:
        empty = {"coupons": CommentedMap({"coupons": CommentedMap()}), "tiers": CommentedMap()}
        saved = offer["benefit"] = empty.get(kind, flow_mapping({}))
    data, visible = form.benefit.cleaned_data, form.benefit.visible_names()
    if kind == "coupons":
        _write_coupons(saved["coupons"], form.benefit)
        _write_rows(saved["coupons"], "where", form.coupon_where, _condition)
        return
    for key in ("fee", "rate", "currency", "percent", "amount"):
        if key in visible:
            put(saved, key, data[key])
    if kind == "tiers":
        _write_rows(saved, "tiers", form.tiers, _tier)


def _write_coupons(coupons: Any, form: BenefitForm) -> None:
    for key in ("count", "value", "currency"):
        put(coupons, key, form.cleaned_data[key])
    valid = coupons.setdefault("valid", CommentedMap())
    for end in ("from", "to"):
        put(valid, end, bound(form, f"{end}_", valid.get(end)))


def _tier(form: TierForm, saved: object) -> Any:
    if saved is not None and not form.has_changed():
        return saved
    data = form.cleaned_data
    return flow_mapping({"from": data["start"], data["unit"] or "percent": data["off"]})
