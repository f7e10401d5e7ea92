"""Workbooks built part by part, including invalid ones."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = f"""<styleSheet {MAIN}><numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="2"/></cellXfs></styleSheet>"""


def sheet(rows: str, behind: str = "") -> str:
    return f"<worksheet {MAIN}><sheetData>{rows}</sheetData>{behind}</worksheet>"


def text(reference: str, value: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def number(reference: str, value: str, style: int = 0) -> str:
    return f'<c r="{reference}" s="{style}"><v>{value}</v></c>'


def row(index: int, *cells: str) -> str:
    return f'<row r="{index}">{"".join(cells)}</row>'


def workbook(
    *sheets: str, states: Iterable[str] = (), properties: str = "", extra: dict[str, str] | None = None
) -> bytes:
    """Return a workbook of these sheets; `extra` adds or replaces parts."""
    states = [*states, *["visible"] * len(sheets)]
    named = "".join(
        f'<sheet name="s{n}" sheetId="{n}" state="{states[n - 1]}" r:id="r{n}"/>' for n in range(1, len(sheets) + 1)
    )
    related = "".join(
        f'<Relationship Id="r{n}" Type="{RELATION}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    parts = {
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATION}">{properties}<sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{related}</Relationships>",
        "xl/styles.xml": STYLES,
        **{f"xl/worksheets/sheet{n}.xml": content for n, content in enumerate(sheets, start=1)},
        **(extra or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def large(path: Path, rows: int, line: str, behind: str = "") -> None:
    """Write a workbook whose sheet repeats a line, as a stream, because it does not fit into memory."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        small = zipfile.ZipFile(io.BytesIO(workbook(sheet(""))))
        for name in small.namelist():
            if "sheet1" not in name:
                archive.writestr(name, small.read(name))
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(f"<worksheet {MAIN}><sheetData>".encode())
            for start in range(0, rows, 1000):
                part.write("".join(line.format(n=n) for n in range(start, min(start + 1000, rows))).encode())
            part.write(f"</sheetData>{behind}</worksheet>".encode())
