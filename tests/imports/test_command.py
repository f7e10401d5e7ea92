"""Command `import_facts`: counts on standard output, errors on standard error, exit code 1 after errors."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from logistics.models import FreightOrder
from merchants.models import Merchant
from tests.support.importing import ORDER, import_text, order

pytestmark = pytest.mark.django_db(transaction=True)


def imported(folder: Path, *options: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("import_facts", str(folder), *options, stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


def test_counts_are_printed_and_the_zone_is_applied(tmp_path: Path) -> None:
    (tmp_path / "merchants.csv").write_text("merchant_code\nM1\n")
    (tmp_path / "freight_orders.csv").write_text(ORDER + order("F1", placed="2022-09-05 00:00") + order("F2"))
    assert imported(tmp_path, "--zone", "America/Los_Angeles") == (
        "merchants.csv: 1 new, 0 changed, 0 unchanged, 0 in the future\n"
        "freight_orders.csv: 2 new, 0 changed, 0 unchanged, 0 in the future\n",
        "",
    )
    assert str(FreightOrder.objects.get(pk="F1").placed_at) == "2022-09-05 07:00:00+00:00"


def test_errors_are_on_standard_error_and_the_command_fails(tmp_path: Path) -> None:
    (tmp_path / "merchants.csv").write_text("merchant_code\nM1\n")
    (tmp_path / "freight_orders.csv").write_text(ORDER + order("F1", freight="-3.00"))
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_facts", str(tmp_path), stdout=out, stderr=err, no_color=True)
    assert caught.value.returncode == 1
    assert err.getvalue() == 'freight_orders.csv line 2, base_freight "-3.00": is negative\n'
    assert out.getvalue().endswith("freight_orders.csv: not imported, errors: 1\n")
    assert (Merchant.objects.count(), FreightOrder.objects.count()) == (1, 0)


def failed(folder: Path) -> str:
    err = StringIO()
    with pytest.raises(CommandError):
        call_command("import_facts", str(folder), stdout=StringIO(), stderr=err, no_color=True)
    return err.getvalue()


@pytest.mark.parametrize("name", ["merchants.CSV", "Merchants.Csv", "MERCHANTS.csv"])
def test_names_of_files_are_read_in_any_case(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("merchant_code\nM1\n")
    imported(tmp_path)
    assert Merchant.objects.count() == 1


def test_a_file_that_is_not_one_of_facts_fails_the_command_and_the_others_are_imported(tmp_path: Path) -> None:
    (tmp_path / "merchants.csv").write_text("merchant_code\nM1\n")
    (tmp_path / "freight_order.csv").write_text(ORDER)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".DS_Store").write_text("")
    (tmp_path / "~$merchants.xlsx").write_text("")
    assert failed(tmp_path) == (
        "freight_order.csv: is not a file of facts, and was not imported; is it freight_orders.csv?\n"
        "notes.txt: is not a file of facts, and was not imported\n"
    )
    assert Merchant.objects.count() == 1


def test_a_folder_without_a_file_of_facts_fails_the_command(tmp_path: Path) -> None:
    assert failed(tmp_path) == f"{tmp_path.name}: holds no file of facts, such as merchants.csv\n"


@pytest.mark.parametrize("options", [["--zone", "Mars/Olympus"], ["--zone", "../etc/passwd"]])
def test_an_unknown_zone_or_folder_is_an_error(options: list[str], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is not a time zone"):
        call_command("import_facts", str(tmp_path), *options)
    with pytest.raises(CommandError, match="is not a folder"):
        call_command("import_facts", str(tmp_path / "none"))


def test_a_first_large_load_restores_indexes_and_constraints(tmp_path: Path) -> None:
    """PostgreSQL drops indexes and foreign keys during such a load and creates them again."""

    def guards() -> object:
        with connection.cursor() as cursor:
            return connection.introspection.get_constraints(cursor, FreightOrder._meta.db_table)

    before = guards()
    assert import_text("merchants", "merchant_code\nM1\n", tmp_path).result.succeeded
    lines = "".join(order(f"F{number}") for number in range(50_000))
    assert import_text("freight_orders", ORDER + lines, tmp_path).counts == (50_000, 0, 0)
    assert guards() == before
    assert import_text("freight_orders", ORDER + lines, tmp_path).counts == (0, 0, 50_000)
