"""What one text of a campaign changes in another, offer by offer, in the sentences that merchants read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from definitions import offer_sentences
from definitions.offer_terms import OfferTerms


@dataclass(frozen=True)
class OfferDifference:
    """One offer: the sentences it loses and those it gains. `old` and `new` tell whether it is there before and after.

    `reworded` where the definition changes, and no sentence does: names of conditions, for instance.
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
        """Whether there is anything to see."""
        return self.old != self.new or bool(self.lost or self.gained) or self.reworded


def sentences_of(offer: OfferTerms) -> list[str]:
    """Everything that an offer says, in the language in force."""
    terms = offer_sentences.describe_terms(offer)
    carriers = [str(names) for names in offer.carriers]
    return [str(offer.names), terms.benefit, terms.claim, *terms.conditions, terms.quota, *terms.settlement, *carriers]


def compare(old: Mapping[str, OfferTerms], new: Sequence[OfferTerms]) -> Iterator[OfferDifference]:
    """One for each offer of the new text, then for those it leaves out: these go on as they are."""
    for offer in new:
        before = old.get(offer.code)
        if before is None:
            yield OfferDifference(offer.code, str(offer.names), False, True, gained=tuple(sentences_of(offer)))
        else:
            lost, gained = _compared(sentences_of(before), sentences_of(offer))
            reworded = not lost and not gained and before != offer
            yield OfferDifference(offer.code, str(offer.names), True, True, lost, gained, reworded)
    codes = {offer.code for offer in new}
    for code, before in old.items():
        if code not in codes:
            yield OfferDifference(code, str(before.names), True, False)


def _compared(before: list[str], after: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lost: list[str] = []
    gained: list[str] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what != "equal":
            lost += before[a:b]
            gained += after[c:d]
    return tuple(lost), tuple(gained)
