"""Helpers for tests of imports: import a text as a file, and return the counts and the errors."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from imports.column_mapping import ColumnMapping
from imports.file_reader import COMMAND_LIMIT, ConversionLimit
from imports.importer import ImportOptions, ImportResult, import_file
from imports.models import ImportBatch
from imports.registry import all_schemas
from logistics.models import FreightOrder
from merchants.models import Merchant

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
CASES = Path(__file__).resolve().parent.parent / "cases"
SCHEMAS = {file.name: file for file in all_schemas()}
ORDER = "order_no,merchant_code,service,line,base_freight,currency,placed_at\n"


@dataclass
class Imported:
    """Result of one import; each error is `(line, column, value, reason)`."""

    result: ImportResult
    errors: list[tuple[int, str, str, str]] = field(default_factory=list)

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.result.added, self.result.changed, self.result.unchanged


def import_text(
    name: str,
    content: str | bytes,
    folder: Path,
    *,
    suffix: str = ".csv",
    zone: ZoneInfo = SHANGHAI,
    limit: ConversionLimit = COMMAND_LIMIT,
    dry_run: bool = False,
    encoding: str = "",
) -> Imported:
    """Write `content` as the file `name` into `folder` and import it."""
    path = folder / f"{name}{suffix}"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_path(name, path, zone=zone, limit=limit, dry_run=dry_run, encoding=encoding)


def import_path(
    name: str,
    path: Path,
    *,
    zone: ZoneInfo = SHANGHAI,
    limit: ConversionLimit = COMMAND_LIMIT,
    dry_run: bool = False,
    mapping: ColumnMapping | None = None,
    encoding: str = "",
) -> Imported:
    errors: list[tuple[int, str, str, str]] = []
    result = import_file(
        SCHEMAS[name],
        path,
        ImportOptions(zone=zone, now=NOW, limit=limit, dry_run=dry_run, mapping=mapping, encoding=encoding),
        on_error=lambda error: errors.append((error.line, error.column, error.value, error.reason)),
    )
    assert result.errors == len(errors)
    return Imported(result, errors)


def merchants(folder: Path, *codes: str) -> None:
    lines = "".join(f"{code}\n" for code in codes or ("M1", "M2"))
    assert import_text("merchants", f"merchant_code\n{lines}", folder).result.succeeded


def order(number: str = "F1", *, merchant: str = "M1", freight: str = "1.00", placed: str = "") -> str:
    return f"{number},{merchant},express,eu,{freight},CNY,{placed}\n"


def no_orders_stored() -> bool:
    return not FreightOrder.objects.exists() and not ImportBatch.objects.filter(source__startswith="freight").exists()


def world() -> list[object]:
    return [*FreightOrder.objects.order_by("pk").values(), *Merchant.objects.order_by("pk").values()]
