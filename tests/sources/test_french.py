"""The French library's own files: what is in them comes out as fractions, what is damaged is refused."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput, StudyFileError
from eventstudy.sources.files import french as french_module

EMBEDDED = es.load_factors()
FIVE = ["mkt_rf", "smb", "hml", "rmw", "cma", "rf"]
LIBRARY = {"mkt_rf": "Mkt-RF", "smb": "SMB", "hml": "HML", "rmw": "RMW", "cma": "CMA", "mom": "Mom   ", "rf": "RF"}
PREAMBLE = """This file was created using the 202512 CRSP database.
The 1-month TBill rate data until 202405 are from Ibbotson Associates.

"""
FOOTER = "\nCopyright 2025 Eugene F. Fama and Kenneth R. French\n"


def library_text(columns, table=EMBEDDED, preamble=PREAMBLE, footer=FOOTER, end="\r\n"):
    """The layout of the library's files: preamble, header, YYYYMMDD rows in per cent, footer."""
    digits = {"rf": 3}
    rows = [
        f"{day:%Y%m%d}," + ",".join(f"{row[c] * 100:8.{digits.get(c, 2)}f}" for c in columns)
        for day, row in zip(table.index, table[columns].to_dict("records"), strict=True)
    ]
    text = preamble + "," + ",".join(LIBRARY[c] for c in columns) + "\n" + "\n".join(rows) + "\n" + footer
    return text.replace("\n", end)


@pytest.fixture
def save(tmp_path):
    def write(text, name="F-F_daily_CSV.zip", members=None):
        file = tmp_path / name
        content = text if isinstance(text, bytes) else text.encode("latin-1")
        if name.endswith(".zip"):
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                for member in members or ["F-F_daily.csv"]:
                    packed.writestr(member, content)
        else:
            file.write_bytes(content)
        return file

    return write


def same(found, columns):
    assert list(found.columns) == columns
    pd.testing.assert_frame_equal(found, EMBEDDED[columns], check_freq=False, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["F-F_daily_CSV.zip", "F-F_daily.csv", "F-F_DAILY.ZIP"])
@pytest.mark.parametrize("columns", [["mkt_rf", "smb", "hml", "rf"], FIVE, ["mom"]])
def test_the_files_give_the_embedded_factors(columns, name, save):
    if name.isupper():
        with zipfile.ZipFile(save("x").with_name(name), "w") as packed:
            packed.writestr("F-F_daily.CSV", library_text(columns))
        same(es.sources.read_french_factors(save("x").with_name(name)), columns)
        return
    same(es.sources.read_french_factors(save(library_text(columns), name)), columns)


def test_several_files_are_joined_by_day(save):
    five = save(library_text(FIVE), "five.zip")
    momentum = save(library_text(["mom"], preamble=""), "momentum.zip")
    same(es.sources.read_french_factors([five, momentum]), ["mkt_rf", "smb", "hml", "rmw", "cma", "mom", "rf"])
    longer = save(library_text(["mom"], EMBEDDED.iloc[100:]), "later.zip")
    joined = es.sources.read_french_factors([longer, five])
    assert joined.index[0] == EMBEDDED.index[100]
    assert not joined.isna().any(axis=None)


def test_a_study_with_the_librarys_files_is_the_study_with_the_embedded_ones(save):
    prices = es.load_prices(["NVDA", "META"])
    study = es.EventStudy(model=es.FactorModel.named("carhart"))
    events = [es.Event(t, "2025-01-27") for t in ("NVDA", "META")]
    own = es.sources.read_french_factors([save(library_text(FIVE), "5.zip"), save(library_text(["mom"]), "m.zip")])
    np.testing.assert_allclose(
        study.run(prices, events, own).ar.to_numpy(),
        study.run(prices, events, EMBEDDED).ar.to_numpy(),
        rtol=0,
        atol=1e-12,
    )


def test_codes_for_missing(save):
    text = library_text(FIVE).replace("   -1.49,", "  -99.99,").replace("    2.52,", "    -999,")
    found = es.sources.read_french_factors(save(text))
    assert found.loc["2025-01-27"].isna().sum() == 2
    assert found.isna().sum().sum() >= 2
    assert found.min().min() > -0.2


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda t: t.replace("20250127,   -1.49", "20250127,   -1.4x"), DataUnfit, "'   -1.4x' as mkt_rf in line"),
        (lambda t: t.replace("20250127,   -1.49", "20250127,"), DataUnfit, "as mkt_rf in line"),
        (lambda t: t.replace("20250127,   -1.49", "20250127"), DataUnfit, "6 cells in line"),
        (lambda t: t.replace("20250127,   -1.49", "20250127,  149.00"), DataUnfit, "100 % or more in line"),
        (lambda t: t.replace("20250127", "20250227", 1), DataUnfit, "days must ascend"),
        (lambda t: t.replace("20250127", "20250124", 1), DataUnfit, "days must ascend"),
        (lambda t: t.replace("20250127", "20250139", 1), InvalidInput, "'20250139' as a date"),
        (lambda t: t.replace("\r\n20250127", "\r\n\r\nAnnual\r\n20250127", 1), DataUnfit, "goes on with"),
        (lambda t: t.replace("Mkt-RF", "Market"), InvalidInput, "columns 'Market', 'SMB'"),
        (lambda t: t.replace("SMB", "HML", 1), InvalidInput, "each once"),
        (lambda t: "", InvalidInput, "no header with rows of days"),
        (lambda t: PREAMBLE, InvalidInput, "no header with rows of days"),
        (lambda t: t[t.index("20220103") :], InvalidInput, "no header with rows of days"),
        (lambda t: t.replace("SMB", "S\0B"), DataUnfit, "NUL bytes"),
    ],
)
def test_damaged_text(change, error, words, save):
    with pytest.raises(error, match=words):
        es.sources.read_french_factors(save(change(library_text(FIVE))))


def test_monthly_and_annual_files_are_refused(save):
    monthly = ",Mkt-RF,SMB\n202501,  2.80,  -3.22\n202502, -2.44,  -5.79\n\n Annual Factors: January-December \n,Mkt-RF,SMB\n 2024,  20.3,  -5.9\n"
    for text in (monthly, ",Mkt-RF,SMB\n2024,  20.3,  -5.9\n"):
        with pytest.raises(InvalidInput, match="months or years; an event study needs the daily file"):
            es.sources.read_french_factors(save(text))


def test_damaged_and_foreign_zip_files(save, tmp_path):
    file = save(library_text(FIVE))
    whole = file.read_bytes()
    for content in (
        whole[:-30],
        whole[: len(whole) // 2],
        b"PK\x03\x04",
        b"no zip",
        b"",
        whole[:200] + b"\xff" * 50 + whole[250:],
    ):
        file.write_bytes(content)
        with pytest.raises((DataUnfit, InvalidInput), match=r"F-F_daily_CSV\.zip"):
            es.sources.read_french_factors(file)
    with pytest.raises(InvalidInput, match="holds 2 files, 2 of them text"):
        es.sources.read_french_factors(save("x", members=["a.csv", "b.csv"]))
    with pytest.raises(InvalidInput, match="holds 1 files, 0 of them text"):
        es.sources.read_french_factors(save("x", members=["a.exe"]))
    with pytest.raises(DataMissing, match=r"no factor file none\.zip"):
        es.sources.read_french_factors(tmp_path / "none.zip")
    with pytest.raises(InvalidInput, match="No factor file is named"):
        es.sources.read_french_factors([])


def test_a_bomb_is_not_unpacked(save, monkeypatch):
    bomb = save(b"0" * 3_000_000, "bomb.zip")
    assert bomb.stat().st_size < 10_000
    monkeypatch.setattr(french_module, "MAX_BYTES", 1_000_000)
    with pytest.raises(InvalidInput, match="unpacks to more than"):
        es.sources.read_french_factors(bomb)


def test_names_in_a_zip_file_lead_nowhere(save, tmp_path):
    before = sorted(p.name for p in tmp_path.parent.iterdir())
    same(es.sources.read_french_factors(save(library_text(["mom"]), members=["../../escape.csv"])), ["mom"])
    assert sorted(p.name for p in tmp_path.parent.iterdir()) == before


def test_an_encrypted_file_is_refused(save):
    file = save(library_text(["mom"]))
    data = bytearray(file.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    file.write_bytes(bytes(data))
    with pytest.raises(DataUnfit, match="encrypted"):
        es.sources.read_french_factors(file)


def test_files_that_do_not_fit_together(save):
    five = save(library_text(FIVE), "five.zip")
    changed = EMBEDDED.copy()
    changed.loc["2025-01-27", "smb"] = 0.05
    with pytest.raises(DataUnfit, match=r"differ in smb on 2025-01-27.*another portfolio"):
        es.sources.read_french_factors([five, save(library_text(["mkt_rf", "smb", "hml", "rf"], changed), "three.zip")])
    holed = EMBEDDED.drop(pd.Timestamp("2025-01-27"))
    with pytest.raises(DataUnfit, match="only one of them has 2025-01-27"):
        es.sources.read_french_factors([five, save(library_text(["mom"], holed), "mom.zip")])
    early = library_text(["mom"], EMBEDDED.iloc[:5])
    with pytest.raises(DataUnfit, match="no day in common"):
        es.sources.read_french_factors(
            [save(early, "mom.zip"), save(library_text(FIVE, EMBEDDED.iloc[50:]), "late.zip")]
        )


STUDY = """title = "A"
event = "news"
[model]
kind = "fama_french3"
[prices]
factors = {factors}
"""


def test_a_study_file_names_factor_files(save, tmp_path):
    save(library_text(FIVE))
    (tmp_path / "events.csv").write_text("ticker,date\nNVDA,2025-01-27\n")
    study = tmp_path / "study.toml"
    for words in ('"F-F_daily_CSV.zip"', '["F-F_daily_CSV.zip"]'):
        study.write_text(STUDY.format(factors=words))
        spec = es.load_study(tmp_path)
        same(spec.factors(), FIVE)
        assert spec.run().car(0, 1).shape[0] == 1
    study.write_text(STUDY.format(factors='"../F-F_daily_CSV.zip"'))
    with pytest.raises(StudyFileError, match=r"prices.factors.*leaves the study's folder"):
        es.load_study(tmp_path)
    study.write_text(STUDY.format(factors='"none.zip"'))
    with pytest.raises(DataMissing, match=r"none\.zip"):
        es.load_study(tmp_path).run()


def test_zip_of_another_compression(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("F.csv", library_text(["mom"]))
    (tmp_path / "f.zip").write_bytes(buffer.getvalue())
    same(es.sources.read_french_factors(tmp_path / "f.zip"), ["mom"])
