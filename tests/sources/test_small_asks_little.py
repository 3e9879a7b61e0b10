"""What a file asks of the machine: as much memory as it holds, and a name that a page can write."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zipfile

import pytest

from eventstudy.errors import InvalidInput
from eventstudy.files import parse_json, read_up_to
from eventstudy.sources import read_prices

#: Reads a file when only so many MB more of addresses may be taken than after the libraries are there.
BOUNDED = """
import resource, sys
import pandas as pd
from eventstudy.sources.files.open import read_prices
from eventstudy.sources.files.french import read_french_factors
import warnings
from pathlib import Path
kind, file, small, megabytes = sys.argv[1:]
read = {"prices": read_prices, "factors": read_french_factors}[kind]
read(small)
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + int(megabytes) * 2**20,) * 2)
print(len(read(file).index if kind == "factors" else read(file).dates))
"""


def table(rows):
    days = [f"{2000 + i // 336}-{1 + i // 28 % 12:02d}-{1 + i % 28:02d}" for i in range(rows)]
    return "date,AAA,BBB\n" + "".join(f"{day},{100 + i % 7}.25,{50 + i % 5}.5\n" for i, day in enumerate(days))


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="a system that tells no addresses")
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".txt"])
@pytest.mark.parametrize("rows", [30, 1000])
def test_a_small_file_asks_for_little(tmp_path, ending, rows):
    for name, count in (("small", 12), ("file", rows)):
        content = table(count).encode()
        (tmp_path / f"{name}{ending}").write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    words = ["prices", tmp_path / f"file{ending}", tmp_path / f"small{ending}", 64]
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"{rows}\n"), done.stderr


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20 + 7])
@pytest.mark.parametrize("limit", [0, 10, 2**20, 2**21])
def test_no_more_is_read_than_tells_that_it_is_too_long(tmp_path, size, limit):
    content = os.urandom(size)
    plain, packed = tmp_path / "plain", tmp_path / "packed.gz"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content, 1))
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("one", content)
    with plain.open("rb") as a, gzip.open(packed) as b, zipfile.ZipFile(tmp_path / "z.zip").open("one") as c:
        for stream in (a, b, c):
            assert read_up_to(stream, limit) == content[: limit + 1]


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, b"[" * 200_000, "{", ""])
def test_what_is_no_json_is_one_kind_of_error(text):
    with pytest.raises(ValueError, match=r"nested too deeply|Expecting"):
        parse_json(text)


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes there")
def test_a_file_whose_name_is_no_text_is_refused_by_what_can_be_shown(tmp_path):
    path = tmp_path / os.fsdecode(b"cours-\xe9t\xe9.csv")
    path.write_text("date,AAA,BBB\n2025-01-24,10,5\n2025-01-27,9,6\n")
    with pytest.raises(InvalidInput, match=r"The name of cours-\\udce9t\\udce9\.csv is no text in UTF-8; rename it"):
        read_prices(path)
