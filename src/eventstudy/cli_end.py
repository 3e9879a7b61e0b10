"""How a command ends, whatever happens in it: with an exit code, and its words in the format that was asked for."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from eventstudy.console import Console

_OPTION = "--log-format"


def run_to_its_end(app: Callable[..., Any], console: Console) -> int:
    """Run a command line application.

    Parameters
    ----------
    app : callable
        The application, called with ``standalone_mode``.
    console : Console
        Where messages go.

    Returns
    -------
    int
        The exit code.

    Notes
    -----
    If lines are to be JSON, so are wrong options, which are found before any option is known, and warnings of libraries.
    """
    as_json = _asks_for_json(sys.argv[1:])
    if as_json:
        console.log_format = "json"
    try:
        with warnings.catch_warnings():
            if as_json:
                warnings.showwarning = lambda message, category, *rest, **more: console.say(
                    f"{category.__name__}: {message}", level="warning"
                )
            code = app(standalone_mode=not as_json)
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        return _failed(error, console)
    code = code if isinstance(code, int) else 0
    if code == 130:
        console.say("stopped", study="eventstudy", level="error", exit_code=code)
    return code


def _asks_for_json(words: Sequence[str]) -> bool:
    pairs = pairwise(words)
    return f"{_OPTION}=json" in words or (_OPTION, "json") in pairs


def _failed(error: Exception, console: Console) -> int:
    usage = getattr(error, "format_message", None)  # what the parser raises; its class is not public
    if callable(usage):
        words, code = str(usage()), int(getattr(error, "exit_code", 2))
    else:
        from eventstudy.failures import failure

        words, code = failure(error)
    console.say(words, study="eventstudy", level="error", exit_code=code)
    return code
