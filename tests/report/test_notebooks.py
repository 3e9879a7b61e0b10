"""Notebooks as reports: the study's parameters, progress, failing cells, charts with words; an analyst's own included."""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.errors import DataMissing, InvalidInput, StudyFileError
from eventstudy.files import sweep_temporary
from eventstudy.report.builds import outputs
from eventstudy.report.builds.notebooks import NotebookFailed, execute
from eventstudy.report.notebook_page import scrubbed
from eventstudy.studyfile.starter import notebook_text

pytestmark = pytest.mark.builds


def write(path: Path, *cells: tuple[str, ...]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook_text(cells), encoding="utf-8")
    return path


def test_parameters_are_set_after_the_tagged_cell_and_cells_are_counted(tmp_path):
    study = tmp_path / "reports" / "mine"
    study.mkdir(parents=True)
    path = write(
        tmp_path / "notebooks" / "shared.ipynb",
        ("markdown", "# Shared"),
        ("code", 'STUDY, threshold, names = ".", 1, []', "parameters"),
        ("code", "print('way', STUDY, threshold, names)"),
        ("code", "import os; print(os.environ['TZ'], os.environ['LC_ALL'], os.getcwd(), hex(id(names)))"),
    )
    before = path.read_bytes()
    seen = []
    page = execute(
        path,
        folder=study,
        parameters={"threshold": 0.05, "names": ["NVDA", "it's"], "flag": True},
        progress=lambda *step: seen.append(step),
    )
    assert """way ../reports/mine 0.05 ['NVDA', "it's"]""" in html.unescape(page)
    assert "UTC C.UTF-8" in page
    assert str(tmp_path) not in page
    assert "0x…" in page
    assert [s[0] for s in seen] == [f"cell {i} of 5" for i in range(1, 6)]
    assert path.read_bytes() == before


@pytest.mark.parametrize("beyond", [0, 1, 60])
def test_a_path_that_is_too_long_for_a_kernel_s_sockets_is_refused_with_a_way_out(tmp_path, monkeypatch, beyond):
    own = len(f"/eventstudy-kernel-{os.getpid()}-12345678/kernel-1")
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        longest = 107  # bytes, with a zero behind them in the kernel's 108
        short = longest + beyond - own - len(os.fsencode(str(place))) - 1
        long = place / ("é" * (short // 2) + "x" * (short % 2))
        long.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(long))
        path = write(tmp_path / "n.ipynb", ("code", "print(6 * 7)"))
        if beyond:
            with pytest.raises(
                InvalidInput, match=f"too long .* by {beyond} bytes?. Name a shorter one, such as TMPDIR="
            ):
                execute(path, folder=tmp_path)
        else:
            assert "42" in execute(path, folder=tmp_path)
        assert list(long.iterdir()) == []
    finally:
        shutil.rmtree(place)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a kernel looks once a second whether its build is there")
def test_a_kernel_ends_with_a_build_that_is_killed_even_inside_c_code(tmp_path):
    path = write(
        tmp_path / "n.ipynb",
        ("code", "import ctypes, os\nfrom pathlib import Path\nPath('pid.new').write_text(str(os.getpid()))"),
        ("code", "os.rename('pid.new', 'pid')\nctypes.PyDLL(None).sleep(40)"),  # no other thread of it runs meanwhile
    )
    run = f"from pathlib import Path\nfrom eventstudy.report.builds.notebooks import execute\nexecute(Path({str(path)!r}))"
    build = subprocess.Popen([sys.executable, "-c", run])
    try:
        end = time.monotonic() + 60
        while not (tmp_path / "pid").exists() and time.monotonic() < end:
            time.sleep(0.05)
        kernel = Path("/proc") / (tmp_path / "pid").read_text()
        assert "ipykernel_launcher" in (kernel / "cmdline").read_text()
    finally:
        build.kill()
        build.wait()
    end = time.monotonic() + 5
    while kernel.exists() and "State:\tZ" not in (kernel / "status").read_text() and time.monotonic() < end:
        time.sleep(0.05)
    assert time.monotonic() < end
    sweep_temporary()
    assert list(Path(tempfile.gettempdir()).glob(f"eventstudy-kernel-{build.pid}-*")) == []


def test_a_failing_cell_is_named_with_its_source_and_error(tmp_path):
    path = write(tmp_path / "n.ipynb", ("code", "x = 1"), ("code", "y = x / 0  # here"), ("code", "z = 2"))
    with pytest.raises(NotebookFailed, match="in cell 3 of 4") as caught:
        execute(path, folder=tmp_path)
    assert "y = x / 0  # here" in str(caught.value)
    assert "ZeroDivisionError: division by zero" in str(caught.value)
    assert caught.value.EXIT_CODE == 3


def test_charts_of_any_library_have_words_and_hidden_parameters_stay_hidden(tmp_path):
    draw = "fig, ax = plt.subplots()\n_ = ax.plot([1, 2])\nplt.show()"
    path = write(
        tmp_path / "mine.ipynb",
        ("code", "%matplotlib inline\nimport matplotlib.pyplot as plt\nprint(STUDY)"),
        ("markdown", "## Prices at noon"),
        ("code", draw),
        ("code", f"# alt: A line that rises from one to two.\n{draw}"),
    )
    page = execute(path, folder=tmp_path)
    assert "No description" not in page
    assert 'alt="Chart 1 of this notebook under “Prices at noon”' in page
    assert 'alt="A line that rises from one to two."' in page
    assert "STUDY = " not in page
    assert page.count("<summary>Code</summary>") == 3
    assert "font cache" not in page


def test_charts_of_matplotlib_are_shown_once_without_a_magic_line(tmp_path):
    path = write(
        tmp_path / "mine.ipynb",
        ("code", "import matplotlib.pyplot as plt\nplt.bar([1, 2], [1, 2])\nplt.show()"),
        ("code", "fig, ax = plt.subplots()\nax.plot([1, 2])\nfig"),
        ("code", "fig, ax = plt.subplots()\nax.plot([2, 1]);"),
    )
    page = execute(path, folder=tmp_path)
    assert page.count("<img ") == 3
    assert page == execute(path, folder=tmp_path)


def test_a_relative_way_to_packages_leads_to_the_same_ones_in_the_kernel(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "of_mine.py").write_text("WORD = 'found'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "own")
    path = write(tmp_path / "notebooks" / "n.ipynb", ("code", "from of_mine import WORD\nprint('word', WORD)"))
    assert "word found" in execute(path, folder=tmp_path)


def test_what_is_no_notebook_is_said(tmp_path):
    (tmp_path / "bad.ipynb").write_text('{"cells": 1}')
    with pytest.raises(StudyFileError, match=r"bad\.ipynb is no notebook"):
        execute(tmp_path / "bad.ipynb")
    with pytest.raises(DataMissing, match=r"gone\.ipynb is missing"):
        execute(tmp_path / "gone.ipynb")


def test_every_notebook_of_the_folder_is_built_unless_the_key_says_otherwise(study):
    write(study.folder / "b.ipynb", ("markdown", "# B"))
    write(study.folder / "a.ipynb", ("markdown", "# A"))
    assert study.spec.notebooks == ()
    study.write("notebooks = []\n", "")
    assert study.spec.notebooks == ("a.ipynb", "b.ipynb")
    study.write('event = "some news"', 'event = "some news"\nnotebooks = ["b.ipynb"]')
    assert study.spec.notebooks == ("b.ipynb",)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('notebooks = ["a.ipynb", "sub/a.ipynb"]', r"would both become a\.html"),
        ('parameters = { "a b" = 1 }', "no name of a Python variable"),
        ("parameters = { class = 1 }", "no name of a Python variable"),
        ('parameters = { STUDY = "x" }', "STUDY is set by the build"),
        ('embargo_until = "2026-12-01T06:00"', "time zone"),
        ("embargo_until = 5", "with its zone"),
        ('status = "secret"', "status: is 'secret'; allowed: final, draft"),
        ('publish = { fodler = "x" }', "publish"),
    ],
)
def test_wrong_keys_are_named(study, line, words):
    study.write(
        'event = "some news"', f'event = "some news"\n{line}' if "notebooks" not in line else 'event = "some news"'
    )
    if "notebooks" in line:
        study.write("notebooks = []", line)
    with pytest.raises(StudyFileError, match=words):
        es.load_study(study.folder)


def test_paths_of_this_machine_are_taken_out(tmp_path):
    home = str(Path.home())
    text = f"{tmp_path}/study/x.csv at 0x7f00deadbeef, /tmp/ipykernel_12/345.py, {home}/y"
    found = scrubbed(text, [tmp_path / "study"])
    assert found.startswith("./x.csv at 0x…, cell, ")


def test_the_starter_notebook_takes_its_parameters_from_the_study(tmp_path):
    from eventstudy.studyfile.starter import make_starter

    folder = make_starter(tmp_path / "s")
    spec = es.load_study(folder)
    assert spec.status == "draft"
    assert spec.parameters == {"window": [0, 1]}
    tags = [c["metadata"].get("tags") for c in json.loads((folder / "notebook.ipynb").read_text())["cells"]]
    assert tags.count(["parameters"]) == 1
    kinds = {c.kind for c in spec.claims_ledger()}
    assert kinds == {"direction", "impact", "size", "market_value", "count", "date", "not_testable"}


def test_what_notebooks_need_is_loaded_before_any_of_them_starts(study, monkeypatch):
    # matplotlib in one thread fails on an IPython that another is half through importing
    write(study.folder / "a.ipynb", ("markdown", "# A"))
    study.write("notebooks = []\n", "")
    order = []
    whole = outputs.require_notebook_tools
    monkeypatch.setattr(outputs, "require_notebook_tools", lambda: order.append("tools") or whole())
    monkeypatch.setattr(outputs, "execute", lambda path, **_: order.append(path.name) or "<p>A</p>")
    study.build()
    assert order == ["tools", "a.ipynb"]
    code = "import sys; from eventstudy.report.builds.notebooks import require_notebook_tools as r; r(); print('IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("It fell from $5 to **less** than $4.", "It fell from $5 to <strong>less</strong> than $4."),
        ("**Between** $5–$6 and *($7)*.", "<strong>Between</strong> $5–$6 and <em>($7)</em>."),
        ("A formula $x^2 + y_1$ and `$5 to $6`.", "A formula $x^2 + y_1$ and <code>$5 to $6</code>."),
        ("Escaped \\$5 and **$6**.", "Escaped $5 and <strong>$6</strong>."),
    ],
)
def test_sums_of_money_in_a_notebook_are_no_formulas(tmp_path, source, shown):
    path = tmp_path / "words.ipynb"
    path.write_text(notebook_text((("markdown", source),)), encoding="utf-8")
    assert shown in execute(path)


# -- Cells that show too much, or show it to steal.


def peak_of(code: str) -> tuple[str, float]:
    """What a program prints, and the most memory that it held, in MB."""
    program = f"{code}\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    *lines, last = done.stdout.strip().splitlines()
    return "\n".join(lines), float(last)


@pytest.mark.slow
def test_cells_of_a_hundred_megabytes_are_not_kept(tmp_path):
    small = write(tmp_path / "small.ipynb", ("code", "print('x' * 50)"))
    large = write(
        tmp_path / "large.ipynb",
        # slower than they are read: what waits in the sockets is the machine's load, not what is kept
        ("code", "import time\nfor _ in range(20):\n    print('y' * 5_000_000, flush=True)\n    time.sleep(0.2)"),
        (
            "code",
            "from IPython.display import HTML\nfor _ in range(10):\n    display(HTML('<p>' + 'z' * 4_000_000))\n    time.sleep(0.2)",
        ),
        ("markdown", "## After"),
    )
    run = (
        "from pathlib import Path\nfrom eventstudy.report.builds.notebooks import execute\npage = execute(Path({!r}))\n"
        "print(len(page), page.count('Cut: '), 'After' in page)"
    )
    (_, few), (said, much) = (peak_of(run.format(str(p))) for p in (small, large))
    length, cuts, after = said.split()
    assert 2_000_000 < int(length) < 2_100_000
    assert (cuts, after) == ("2", "True")
    assert much - few < 90  # of 140 MB that were sent: a message on its way, what is shown and its page


def test_a_display_that_is_updated_a_thousand_times_is_not_cut_and_cleared_output_does_not_count(tmp_path):
    path = write(
        tmp_path / "n.ipynb",
        ("code", "h = display('start', display_id=True)\nfor i in range(300):\n    h.update('u' * 5_000 + f'end {i}')"),
        (
            "code",
            "from IPython.display import clear_output\nfor i in range(30):\n    clear_output()\n    print('v' * 50_000, i)",
        ),
    )
    page = execute(path)
    assert "Cut" not in page
    assert "end 299" in page
    assert "end 298" not in page


def test_the_error_of_a_cell_is_shown_at_readable_length(tmp_path):
    path = write(tmp_path / "n.ipynb", ("code", "print('a' * 600_000)\nraise ValueError('b' * 3_000_000 + ' the end')"))
    with pytest.raises(NotebookFailed, match="characters left out") as caught:
        execute(path)
    assert len(str(caught.value)) < 21_000
    assert "the end" in str(caught.value)[-500:]


def test_the_last_words_of_a_kernel_that_said_much_are_its_last(tmp_path):
    path = write(
        tmp_path / "n.ipynb",
        (
            "code",
            "import os\nfor _ in range(200):\n    os.write(2, b'w' * 99_999 + b'\\n')\nos.write(2, b'the last line\\n')\nos.kill(os.getpid(), 9)",
        ),
    )
    with pytest.raises(NotebookFailed, match="the last line") as caught:
        execute(path)
    assert len(str(caught.value)) < 11_000
