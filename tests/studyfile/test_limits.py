"""What no honest study file says, refused in words instead of time, memory or a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.console import failure
from eventstudy.report.story import notebook_title

LONG = "a" * 501
HEAD = "title = 'T'\nevent = 'E'\nnotebooks = []\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}[parameters]\na = 0x{'f' * 6000}\n", "parameters.a is a whole number of more than 64 bits"),
        (
            f"{HEAD}[model]\nreport = [[0, 0], [{', '.join(['1'] * 3)}, 0o{'7' * 9000}]]\n",
            "model.report.1.3 is a whole",
        ),
        (f"{HEAD}[model]\nreport = [{'[0, 0],' * 201}]\n", "model.report: lists 201 windows; give at most 200"),
        (f"title = '{LONG}'\nevent = 'E'\nnotebooks = []\n", "title: has 501 characters; at most 500"),
        (f"title = 'T'\nevent = '{'b ' * 9_000}'\nnotebooks = []\n", "event: has 18,000 characters; at most 500"),
        (f"{HEAD}[[robustness]]\nlabel = '{LONG}'\n", "robustness.0.label: has 501 characters"),
        (f"{HEAD}[[other_days]]\ndate = '2025-01-27'\nlabel = '{LONG}'\n", "other_days.0.label: has 501 characters"),
        (f"{HEAD}[names]\nNVDA = '{LONG}'\n", "names.NVDA: has 501 characters"),
    ],
)
def test_what_no_study_file_says_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(es.errors.StudyFileError) as caught:
        es.load_study(tmp_path)
    assert said in caught.value.message
    assert len(caught.value.message) < 400


def test_limits_themselves_are_taken(tmp_path: Path) -> None:
    text = f"title = '{LONG[1:]}'\nevent = 'E'\nnotebooks = []\n[parameters]\na = {2**63}\n[model]\nreport = [{'[0, 0],' * 200}]\n"
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    assert len(es.load_study(tmp_path).model.report) == 200


@pytest.mark.parametrize("key", ["leads", "lags"])
def test_a_regression_over_a_thousand_million_sessions_is_refused(tmp_path: Path, key: str) -> None:
    text = f"{HEAD}[model]\nkind = 'dimson'\n{key} = 1_000_000_000\n"
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(es.errors.InvalidInput, match=rf"{key} is 1000000000.*at most 100"):
        es.load_study(tmp_path).build_model()


@pytest.mark.parametrize("text", ["[" * 200_000, "{}", '{"cells": [[]]}', '{"cells": [{"source": 1}]}', "\x00"])
def test_a_notebook_that_is_none_has_no_title(tmp_path: Path, text: str) -> None:
    (tmp_path / "n.ipynb").write_text(text, encoding="utf-8")
    with pytest.raises(es.errors.StudyFileError, match=r"n\.ipynb is no notebook that can be read"):
        notebook_title(tmp_path / "n.ipynb")


def test_memory_that_is_short_is_no_fault_of_the_package() -> None:
    words, code = failure(MemoryError())
    assert code == 3
    assert "memory" in words
    assert "fault of eventstudy" not in words
