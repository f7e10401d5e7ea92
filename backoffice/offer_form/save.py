"""A filled sheet put into the offer's text: only what somebody changed is written anew."""

from collections.abc import Mapping
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from backoffice.offer_form.fields import OWN, known, operator_of
from backoffice.offer_form.layout import form_of
from core.facts import STATES, SUBJECTS, Collection
from definitions import reschedule, yaml_roundtrip
from logistics.facts import FREIGHT_ORDERS


class Filled:
    """What was sent: one value, or several, under each name."""

    def __init__(self, sent: Any, zone: str) -> None:
        self._sent, self.zone = sent, zone

    def __contains__(self, name: str) -> bool:
        return name in self._sent

    def one(self, name: str) -> str:
        return str(self._sent.get(name, "")).strip()

    def several(self, name: str) -> list[str]:
        return [str(value) for value in self._sent.getlist(name)]

    def bound(self, name: str, old: Any) -> Any:
        """A time with its clock; as it was where it is the same, None where it is empty."""
        at = self.one(f"{name}.at").replace("T", " ")
        at = f"{at}:00" if len(at) == 16 else at
        zone = self.one(f"{name}.zone") or self.zone
        if not at:
            return None
        was = old if isinstance(old, dict) else {"at": old}
        if was.get("at") == at and was.get("zone", self.zone) == zone:
            return old
        made = flow({"at": at} | ({"zone": zone} if zone != self.zone else {}))
        twin = was.get("twin")
        if isinstance(twin, dict) and reschedule.is_time(at):  # the other clock goes on telling the truth
            made["twin"] = flow({"at": reschedule.shown_on(at, zone, twin["zone"]), "zone": twin["zone"]})
        return made


def flow(values: Mapping[str, Any]) -> CommentedMap:
    """A mapping that is written on one line."""
    made = CommentedMap(values)
    made.fa.set_flow_style()
    return made


def _list(values: list[str]) -> CommentedSeq:
    made = CommentedSeq(values)
    made.fa.set_flow_style()
    return made


def fill(offer: Any, filled: Filled) -> None:
    """Put what was sent into the offer, in place. Raises DefinitionError where a part given as text is not YAML."""
    for key in ("en", "zh"):
        _put(offer.setdefault("names", flow({})), key, filled.one(f"names.{key}"))
    if filled.one("subject"):
        _put(offer, "subject", filled.one("subject"))
    collection = SUBJECTS.get(str(offer.get("subject")), FREIGHT_ORDERS)
    _rows(offer, "where", collection, filled, nobody="all")
    _claim(offer, filled)
    _rows(offer, "conditions", collection, filled, nobody="everyone")
    _benefit(offer, filled)
    quota = {key: filled.one(f"quota.{key}") for key in ("limit", "per_merchant")}
    if any(quota.values()) or "quota" in offer:
        for key, value in quota.items():
            _put(offer.setdefault("quota", flow({})), key, value)
        if not offer["quota"]:
            del offer["quota"]
    if "settlement.raw" in filled:
        _raw(offer, "settlement", filled.one("settlement.raw"))


def _put(target: Any, key: str, value: Any) -> None:
    """Write a value where it differs; an empty one is left out."""
    if value in ("", None):
        target.pop(key, None)
    elif str(target.get(key)) != value if isinstance(value, str) else target.get(key) is not value:
        target[key] = value


def _raw(target: Any, key: str, text: str) -> None:
    """A part given as text; as it was where the text is the same."""
    old = target.get(key)
    if text.replace("\r\n", "\n") == (yaml_roundtrip.dump(old).strip() if old else ""):
        return
    _put(target, key, yaml_roundtrip.load(text) if text else None)


def _claim(offer: Any, filled: Filled) -> None:
    if "claim.raw" in filled:
        _raw(offer, "claim", filled.one("claim.raw"))
    elif filled.one("claim.at"):
        _put(offer.setdefault("claim", flow({})), "at", filled.one("claim.at"))
    _put(offer, "decided_at", filled.bound("decided_at", offer.get("decided_at")))
    _put(offer, "settling_hours", filled.one("settling_hours"))


def _rows(target: Any, path: str, collection: Collection, filled: Filled, *, nobody: str) -> None:
    """A list of conditions, sent under `path`; where none is left, the word that says so."""
    key = path.rpartition(".")[2]
    old = target.get(key)
    there = list(old) if isinstance(old, list) else []
    kept = [_condition(f"{path}.{n}", row, collection, filled) for n, row in enumerate([*there, None])]
    rows = [row for row in kept if row is not None]
    if not rows:
        _put(target, key, nobody)
    elif not isinstance(old, list):
        target[key] = CommentedSeq(rows)
    elif len(rows) != len(old) or any(new is not was for new, was in zip(rows, old, strict=True)):
        # In place, so that the comments between rows that stay do so too.
        for n, row in enumerate(rows[: len(old)]):
            if old[n] is not row:
                old[n] = row
        del old[len(rows) :]
        old.extend(rows[len(old) :])


def _condition(name: str, old: Any, collection: Collection, filled: Filled) -> Any:
    """The condition of one line; the same object where nothing changed, None where it is empty or to go."""
    if filled.one(f"{name}.delete"):
        return None
    if f"{name}.raw" in filled:
        text = filled.one(f"{name}.raw").replace("\r\n", "\n")
        return (
            old
            if old is not None and text == yaml_roundtrip.dump(old).strip()
            else yaml_roundtrip.load(text)
            if text
            else None
        )
    if f"{name}.state" in filled:
        return _in_force(name, old, filled)
    fact = filled.one(f"{name}.fact")
    if fact.startswith("="):
        state = STATES[fact[1:]]
        return flow({"in_force": state.name, "of": _list([value for value, _label in state.choices])})
    if not fact:
        return old if f"{name}.fact" not in filled else None
    return _comparison(name, old, fact, collection, filled)


def _in_force(name: str, old: Any, filled: Filled) -> Any:
    state, force, of = filled.one(f"{name}.state"), filled.one(f"{name}.force"), filled.several(f"{name}.of")
    if old.get(force) == state and list(old.get("of", ())) == of:
        return old
    rest = {key: value for key, value in old.items() if key in ("code", "at")}
    return flow({**rest, force: state, "of": _list(of)})


def _comparison(name: str, old: Any, fact: str, collection: Collection, filled: Filled) -> Any:
    was = old if isinstance(old, dict) and "fact" in old else {}
    before = operator_of(was)
    allowed = known(collection, fact)
    same_fact = was.get("fact") == fact
    word = filled.one(f"{name}.op") if same_fact else ""
    value = _operand(name, word, was.get(word), filled) if word and word == before else None
    if same_fact and word == before and (value is was.get(word) or value == was.get(word)):
        return old
    code = {"code": was["code"]} if "code" in was else {}
    word = word or _first(allowed.kind)
    return flow({**code, "fact": fact, word: value if value is not None else _blank(word, allowed.kind)})


def _operand(name: str, word: str, old: Any, filled: Filled) -> Any:
    at = f"{name}.value"
    match word:
        case "in" | "not_in":
            return _several(name, old, filled)
        case "within":
            return _window(name, old, filled)
        case "from" | "by" | "not_before":
            return filled.bound(at, old) or ("claim" if word == "not_before" else "")
        case _:
            return filled.one(at)


def _several(name: str, old: Any, filled: Filled) -> Any:
    chosen = filled.one(f"{name}.list")
    if chosen and chosen != OWN:
        return chosen
    if isinstance(old, str):
        return _list([])
    values = [part.strip() for value in filled.several(f"{name}.value") for part in value.split(",") if part.strip()]
    was = list(old.get("values", ()) if isinstance(old, dict) else old or ())
    return old if values == [str(value) for value in was] else _list(values)


def _window(name: str, old: Any, filled: Filled) -> Any:
    chosen = filled.one(f"{name}.window")
    if chosen and chosen != OWN:
        return chosen
    was = old if isinstance(old, dict) else {}
    ends = {key: filled.bound(f"{name}.value.{key}", was.get(key)) for key in ("from", "to")}
    same = bool(was) and all(ends[key] is was.get(key) for key in ends)
    return old if same else flow({key: end if end is not None else "" for key, end in ends.items()})


def _first(kind: str) -> str:
    return {"money": "at_least", "number": "at_least", "instant": "happened"}.get(kind, "is")


def _blank(word: str, kind: str) -> Any:
    """What stands after an operator that was just chosen."""
    if word in ("in", "not_in"):
        return _list([])
    if word == "within":
        return flow({"from": "", "to": ""})
    if word == "happened" or kind == "flag":
        return "yes"
    return "claim" if word == "not_before" else ""


def _benefit(offer: Any, filled: Filled) -> None:
    old = offer.get("benefit") or {}
    form = filled.one("benefit.form") or form_of(old)
    if form != form_of(old):
        offer["benefit"] = _other_form(form, old)
    elif form == "coupons":
        _coupons(old["coupons"], filled)
    else:
        for key in ("fee", "rate", "currency", *(() if form == "tiers" else (form,))):
            _put(old, key, filled.one(f"benefit.{key}"))
        if form == "tiers":
            _tiers(old, filled)


def _other_form(form: str, old: Any) -> Any:
    """A benefit of another form, to be filled in."""
    fee, currency = old.get("fee", "freight"), old.get("currency", "CNY")
    if form == "coupons":
        where = CommentedSeq([flow({"fact": "service", "is": "express"})])
        valid = CommentedMap({"from": "", "to": ""})
        bundle = {"count": "", "value": "", "currency": currency, "valid": valid, "where": where}
        return CommentedMap({"coupons": CommentedMap(bundle)})
    if form == "tiers":
        tiers = CommentedSeq([flow({"from": "0.00", "percent": "5"})])
        return CommentedMap({"fee": fee, "currency": currency, "tiers": tiers})
    return flow({"fee": fee, form: ""} | ({"currency": currency} if form == "amount" else {}))


def _coupons(coupons: Any, filled: Filled) -> None:
    for key in ("count", "value", "currency"):
        coupons[key] = filled.one(f"benefit.{key}")
    valid = coupons.setdefault("valid", CommentedMap())
    for end in ("from", "to"):
        made = filled.bound(f"benefit.{end}", valid.get(end))
        if made is not valid.get(end):
            valid[end] = made if made is not None else ""
    _rows(coupons, "benefit.where", FREIGHT_ORDERS, filled, nobody="all")


def _tiers(benefit: Any, filled: Filled) -> None:
    old = list(benefit.get("tiers") or ())
    kept = []
    for n, tier in enumerate([*old, None]):
        name = f"benefit.tiers.{n}"
        start, off, unit = (filled.one(f"{name}.{part}") for part in ("from", "off", "unit"))
        if filled.one(f"{name}.delete") or not (start or off):
            continue
        same = tier is not None and str(tier.get("from")) == start and str(tier.get(unit)) == off
        kept.append(tier if same else flow({"from": start, unit or "percent": off}))
    if kept != old:
        benefit["tiers"] = CommentedSeq(kept)
