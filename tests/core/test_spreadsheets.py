"""Tables as files: no cell runs as a formula, numbers stay numbers, and a file is complete or absent."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import spreadsheets

COLUMNS = ["name", "amount"]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_formulas_are_escaped_and_negative_amounts_are_numbers(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"table.{suffix}"
    assert spreadsheets.write(str(path), COLUMNS, [["=1+1", Decimal("-1.50")], ["\x01", None]]) == 2
    if suffix == "csv":
        with path.open(newline="") as file:
            assert list(csv.reader(file)) == [COLUMNS, ["'=1+1", "-1.50"], ["\x01", ""]]
    else:
        [header, first, second] = openpyxl.load_workbook(path).worksheets[0].values
        assert (list(header), first) == (COLUMNS, ("'=1+1", -1.5))
        assert second[0] == "_x0001_"


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_file_that_cannot_be_completed_is_not_written(suffix: str, tmp_path: Path) -> None:
    def rows() -> Iterator[list[object]]:
        yield ["a", 1]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        spreadsheets.write(str(tmp_path / f"table.{suffix}"), COLUMNS, rows())
    assert not list(tmp_path.iterdir())


@given(st.text())
@example("'=1")
@example("''-77")
@example("'x")
def test_escaping_can_be_undone(text: str) -> None:
    assert spreadsheets.unescape_formula(spreadsheets.escape_formula(text)) == text
