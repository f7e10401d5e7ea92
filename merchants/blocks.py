"""Blocks of merchants: proposed by one operator, approved by another, lifted by an approver."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from identity.users import user_key
from imports.models import ImportBatch
from merchants.models import Block, Merchant

Status = Block.Status


class BlockError(Exception):
    """The block does not allow this step; the text gives the reason. Nothing was changed."""


def propose(merchant: Merchant, *, kind: str, until: datetime | None, reason: str, at: datetime, by: str) -> Block:
    """Propose to block a merchant until an instant, or until the block is lifted. Raises BlockError for the past."""
    if until is not None and until <= at:
        raise BlockError(_("The end of the block is in the past."))
    return Block.objects.create(
        merchant=merchant,
        kind=kind,
        ends_at=until,
        reason=reason,
        proposed_by=by,
        proposer_id=user_key(by),
        proposed_at=at,
    )


@transaction.atomic
def approve(block: Block, *, at: datetime, by: str) -> None:
    """Put a proposed block into force. Raises BlockError if `by` proposed it, or it is not proposed any more."""
    row = _lock(block, Status.PROPOSED)
    if is_proposer(row, by):
        raise BlockError(_("You proposed this block: somebody else must approve it."))
    if row.ends_at is not None and row.ends_at <= at:
        raise BlockError(_("The end of the block is in the past."))
    row.status, row.starts_at, row.ended_by, row.ended_at = Status.APPROVED, at, by, at
    row.ender_id = user_key(by)
    _store(row, at)


def is_proposer(block: Block, by: str) -> bool:
    """Return True if the user with that name made the proposal, also under a former name."""
    return by == block.proposed_by or user_key(by) == (block.proposer_id or 0)


@transaction.atomic
def withdraw(block: Block, *, at: datetime, by: str) -> None:
    """Withdraw a proposal. Raises BlockError if it was approved or withdrawn before."""
    row = _lock(block, Status.PROPOSED)
    row.status, row.ended_by, row.ended_at = Status.WITHDRAWN, by, at
    row.ender_id = user_key(by)
    row.save()


@transaction.atomic
def lift(block: Block, *, at: datetime, by: str) -> None:
    """End a block that is in force. What was refused stays refused. Raises BlockError if it is not in force."""
    row = _lock(block, Status.APPROVED)
    if not is_in_force(row, at=at) or row.starts_at == at:
        raise BlockError(_("The block is not in force."))
    row.status, row.ends_at, row.lifted_by = Status.LIFTED, at, by
    _store(row, at)


def in_force(merchant: Merchant, *, at: datetime) -> Block | None:
    """Return the block of a merchant that is in force at an instant."""
    return next((block for block in merchant.blocks.order_by("-starts_at") if is_in_force(block, at=at)), None)


def is_in_force(block: Block, *, at: datetime) -> bool:
    """Return whether a block is in force at an instant."""
    return block.starts_at is not None and block.starts_at <= at and (block.ends_at is None or at < block.ends_at)


def _lock(block: Block, status: Status) -> Block:
    row = Block.objects.select_for_update(no_key=True).get(pk=block.pk)
    if row.status != status:
        raise BlockError(_("The block is %(status)s already.") % {"status": row.get_status_display()})
    return row


def _store(row: Block, at: datetime) -> None:
    """Save a fact that changed, as an import of one row does: the next tick evaluates what rests on it."""
    row.batch = ImportBatch.objects.create(source=f"block: {row.merchant_id}", rows=1, changed=1, recorded_at=at)
    row.save()
