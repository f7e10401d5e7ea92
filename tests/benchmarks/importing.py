"""Import of a file of freight orders, against COPY of the same file into a bare table."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import connection

from tests.benchmarks import facts
from tests.benchmarks.databases import Done, execute, fresh, options, own, timed
from tests.benchmarks.figures import ratio, say, timings, verdict

INSTANTS = ("placed_at", "paid_at", "shipped_at", "departed_at", "cancelled_at")
COLUMNS = {
    "order_no": "text", "merchant_code": "text", "account_code": "text", "service": "text", "line": "text",
    "base_freight": "numeric", "currency": "text", "promo_flag": "boolean", "use_coupon": "boolean",
    **dict.fromkeys(INSTANTS, "timestamptz"),
}  # fmt: skip


def _as_csv(name: str) -> str:
    if name in INSTANTS:
        return f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS {name}"""
    if COLUMNS[name] == "boolean":
        return f"{name}::int AS {name}"
    return "merchant_id AS merchant_code" if name == "merchant_code" else name


def _copied(statement: str, path: Path, mode: str) -> None:
    """COPY between the server and a local file."""
    with connection.cursor() as cursor, path.open(mode) as file:
        raw: Any = cursor
        with raw.copy(statement) as copy:
            if mode == "wb":
                for block in copy:
                    file.write(block)
            while mode == "rb" and (block := file.read(1 << 18)):
                copy.write(block)


def write_file(path: Path, orders: int) -> None:
    """Generate records, write the freight orders to a CSV file, and empty their table."""
    facts.generate(orders)
    columns = ", ".join(_as_csv(name) for name in COLUMNS)
    _copied(f"COPY (SELECT {columns} FROM logistics_freightorder) TO STDOUT (FORMAT CSV, HEADER)", path, "wb")


def bare(path: Path, *, typed: bool) -> float:
    """COPY the file into a new table without key, index or constraint, and return the seconds."""
    execute("DROP TABLE IF EXISTS bare")
    columns = ", ".join(f"{name} {kind if typed else 'text'}" for name, kind in COLUMNS.items())
    execute(f"CREATE TABLE bare ({columns})")
    return timed(lambda: _copied("COPY bare FROM STDIN (FORMAT CSV, HEADER)", path, "rb"))


def main() -> None:
    """Measure both in turns."""
    chosen = options(__doc__)
    ours: list[Done] = []
    text: list[float] = []
    typed: list[float] = []
    with own("importing"), TemporaryDirectory() as folder:
        path = Path(folder) / "freight_orders.csv"
        write_file(path, chosen.orders)
        for _ in range(chosen.rounds):
            execute("TRUNCATE logistics_freightorder")
            ours.append(fresh("take", str(path)))
            text.append(bare(path, typed=False))
            typed.append(bare(path, typed=True))
        size = path.stat().st_size / 1_000_000
    say(f"{chosen.orders:,} freight orders from a CSV file of {size:.0f} MB into an empty table")
    seconds = [done.seconds for done in ours]
    timings("the import, checked, indexed", chosen.orders, seconds)
    timings("COPY into a bare table of text", chosen.orders, text)
    timings("COPY into a bare typed table", chosen.orders, typed)
    found = ratio(seconds, text)
    verdict("rate against COPY as text", found, "at least 0.1", held=found >= 0.1)
    say(f"  {'rate against COPY typed':<34} {ratio(seconds, typed):10.3f}")
    say(f"  {'resident memory of the import, MB':<34} {max(done.megabytes for done in ours):10.0f}")


if __name__ == "__main__":
    main()
