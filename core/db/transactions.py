"""Transactions that may fail and be repeated."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def repeatable() -> Iterator[None]:
    """Run the block as `transaction.atomic` does, and close the cursors that an error leaves open before the rollback.

    Generators in the frames of an error keep server-side cursors open. They would be closed with the error, after the
    rollback has removed their cursors, and that fails the transaction around the block.
    """
    with transaction.atomic():
        try:
            yield
        except Exception as error:
            _clear_frames(error)
            raise


def _clear_frames(error: BaseException) -> None:
    cause: BaseException | None = error
    while cause is not None:
        traceback.clear_frames(cause.__traceback__)
        cause = cause.__cause__ or cause.__context__
