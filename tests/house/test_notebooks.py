"""The notebooks run, answer in a computed sentence, and are stored without outputs."""

import json
from pathlib import Path

import pytest

from eventstudy.report.builds.notebooks import NotebookFailed, execute
from eventstudy.studyfile.starter import notebook_text

pytestmark = pytest.mark.builds

NOTEBOOKS = sorted((Path(__file__).parent.parent.parent / "notebooks").glob("*.ipynb"))
ANSWERS = {
    "01_the_deepseek_shock": ("NVDA</strong> returned −16.97%, below", "META</strong> returned +1.91%, above"),
    "02_how_sure_can_we_be": ("beyond ordinary noise by all three tests", "shares, says z = −12.5"),
    "03_the_ai_supply_chain": ("11 fell and 3 rose beyond what the market explains",),
    "04_your_own_event": ("first tradable session 2024-02-22",),
    "05_which_test": ("Patell says −12.5.", "the average is −1.8 standard errors from zero", "Recommended: kp_bmp_t"),
}


def test_every_notebook_has_an_expected_answer() -> None:
    assert [p.stem for p in NOTEBOOKS] == list(ANSWERS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_stored_without_outputs(path: Path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_runs_and_answers(path: Path) -> None:
    page = execute(path)
    for words in ANSWERS[path.stem]:
        assert words in page.replace("z = -12.5", "z = −12.5")
    assert "Traceback" not in page
    assert "No description has been provided" not in page


def test_a_failing_cell_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_text(notebook_text((("code", "x = 1"), ("code", "y = x / 0  # here"))), encoding="utf-8")
    with pytest.raises(NotebookFailed) as caught:
        execute(path)
    assert "bad.ipynb" in str(caught.value)
    assert "y = x / 0  # here" in str(caught.value)
    assert "ZeroDivisionError" in str(caught.value)


def test_every_figure_of_a_marked_notebook_says_so(tmp_path: Path) -> None:
    path = tmp_path / "draft.ipynb"
    code = (
        "import eventstudy as es\n"
        'prices = es.load_prices(["NVDA", "^GSPC"])\n'
        'result = es.EventStudy(model=es.MarketModel("^GSPC")).run(prices, [es.Event("NVDA", "2025-01-27")])\n'
        "result.plot_event_day()"
    )
    path.write_text(notebook_text((("code", code),)), encoding="utf-8")
    assert 'alt="DRAFT. Dot plot' in execute(path, mark="DRAFT")
