"""Differences between two versions of a campaign, by offer and document, in the sentences that people read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from definitions import offer_sentences
from definitions.documents import DocumentTerms
from definitions.offer_terms import OfferTerms

Part = OfferTerms | DocumentTerms


@dataclass(frozen=True)
class OfferDifference:
    """Difference of one offer or document: the sentences that it loses and gains.

    `old` and `new` say whether the version has the offer. `reworded`: the definition changes but no sentence does, as
    with the code of a condition.
    """

    code: str
    name: str
    old: bool
    new: bool
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    reworded: bool = False

    @property
    def changed(self) -> bool:
        """Return whether the versions of the offer differ."""
        return self.old != self.new or bool(self.lost or self.gained) or self.reworded


def sentences_of(offer: Part) -> list[str]:
    """Return every sentence of an offer or document, in the language in force."""
    if isinstance(offer, DocumentTerms):
        return [str(offer.names), *offer.sentences()]
    terms = offer_sentences.describe_terms(offer)
    carriers = [str(names) for names in offer.carriers]
    funding = [terms.funding] if terms.funding else []
    own = [str(offer.names), terms.benefit, *funding, terms.claim, *terms.conditions, terms.quota, *terms.settlement]
    return own + carriers


def compare(old: Mapping[str, Part], new: Sequence[Part]) -> Iterator[OfferDifference]:
    """Yield the difference of each part of the new version, then of each that it leaves out, which stays in force."""
    for offer in new:
        before = old.get(offer.code)
        if before is None:
            yield OfferDifference(offer.code, str(offer.names), old=False, new=True, gained=tuple(sentences_of(offer)))
        else:
            lost, gained = changed_sentences(before, offer)
            reworded = not lost and not gained and before != offer
            yield OfferDifference(
                offer.code, str(offer.names), old=True, new=True, lost=lost, gained=gained, reworded=reworded
            )
    codes = {offer.code for offer in new}
    for code, before in old.items():
        if code not in codes:
            yield OfferDifference(code, str(before.names), old=True, new=False)


def changed_sentences(old: Part, new: Part) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sentences that an offer or document loses and gains from one wording to another."""
    before, after = sentences_of(old), sentences_of(new)
    lost: list[str] = []
    gained: list[str] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for operation, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if operation != "equal":
            lost += before[old_start:old_end]
            gained += after[new_start:new_end]
    return tuple(lost), tuple(gained)
