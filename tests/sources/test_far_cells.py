"""Workbooks whose few cells lie far apart: the reader would ask for memory for all between them, and end the process."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from eventstudy.sources import read_prices

OFFICE = "http://schemas.openxmlformats.org"
MAIN, LINKS = f"{OFFICE}/spreadsheetml/2006/main", f"{OFFICE}/officeDocument/2006/relationships"
TABLE = "".join(
    f'<row r="{i}"><c r="A{i}" t="inlineStr"><is><t>{day}</t></is></c><c r="B{i}"{kind}</c></row>'
    for i, (day, kind) in enumerate(
        [("date", ' t="inlineStr"><is><t>ABC</t></is>'), ("2025-01-24", "><v>10</v>"), ("2025-01-27", "><v>9</v>")],
        start=1,
    )
)


def workbook(file: Path, rows: str, sheet: str = "worksheets/sheet1.xml", more: str = "") -> Path:
    """Write the least workbook that the reader takes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{OFFICE}/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        packed.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{OFFICE}/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        packed.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        packed.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{OFFICE}/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{LINKS}/worksheet" Target="{sheet}"/></Relationships>',
        )
        packed.writestr(f"xl/{sheet}", f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{more}</worksheet>')
        packed.writestr("docProps/thumbnail.jpeg", bytes(range(256)) * 9)
    return file


FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
PREFIXED = FAR.replace("</", "</x:").replace("<r", "<x:r").replace("<c", "<x:c").replace("<v", "<x:v")


@pytest.mark.parametrize(
    ("rows", "sheet"),
    [
        (TABLE + FAR, "worksheets/sheet1.xml"),
        (TABLE + FAR, "a.picture"),
        (FAR.replace("<v>1</v>", "<is><t>x</t></is>") + TABLE, "worksheets/sheet1.xml"),
        (TABLE + '<row r="9"><c r="AAAAAA9"><v>1</v></c></row>', "worksheets/sheet1.xml"),
        (TABLE + '<row r="1000000"/><row><c r="ALL1000001"/><c><v>1</v></c></row>', "worksheets/sheet1.xml"),
        (f"<x:y xmlns:x='{MAIN}'>{TABLE}{PREFIXED}</x:y>", "worksheets/sheet1.xml"),
        (f"{TABLE}<row r='5'><c r='A5'><v>&nbsp;</v></c></row>{FAR}", "worksheets/sheet1.xml"),
    ],
    ids=["last cell", "odd name", "unordered", "no such column", "counted on", "prefix", "no XML"],
)
def test_cells_far_from_the_table_are_refused_in_words(tmp_path: Path, rows: str, sheet: str) -> None:
    file = workbook(tmp_path / "closes.xlsx", rows, sheet)
    assert file.stat().st_size < 3_000
    command = f"from eventstudy.sources import read_prices; read_prices({str(file)!r})"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr[-300:]  # not by a signal
    said = done.stderr.splitlines()[-1]
    assert re.search(r"closes\.xlsx (has sheets that reach over more than 25,000,000 cells|is damaged)", said), said


def test_styles_and_merged_cells_far_from_the_table_do_no_harm(tmp_path: Path) -> None:
    empty = '<row r="1048576" s="1"><c r="A1048576" s="1"/><c r="XFD1048576" s="1"/></row>'
    merged = '<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    prices = read_prices(workbook(tmp_path / "closes.xlsx", TABLE + empty, more=merged))
    assert prices.adj_close["ABC"].tolist() == [10, 9]
    assert prices.adj_close.index.tolist() == [pd.Timestamp("2025-01-24"), pd.Timestamp("2025-01-27")]
