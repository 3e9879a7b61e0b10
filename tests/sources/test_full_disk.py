"""A client that cannot write what it keeps for itself is told as that, and may be asked again: it is no answer of another form."""

from __future__ import annotations

import sqlite3

import peewee
import pytest

from eventstudy.errors import SourceFailed
from eventstudy.sources.yahoo.failures import classify, failure

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("library", [sqlite3, peewee])
@pytest.mark.parametrize("said", ["disk I/O error", "database or disk is full", "attempt to write a readonly database"])
def test_caches_that_cannot_be_written_are_named(library, said):
    kind, cause = classify(library.OperationalError(said))
    assert kind == "no_cache"
    error = failure("AAA", "2025-01-02", "2025-01-31", kind, cause, 1)
    assert isinstance(error, SourceFailed)
    assert f"the client cannot use its folder of caches ({said})" in str(error)
    assert "Make room on the disk" in str(error)
