"""eventstudy: how much did this news move the price, and how sure are we?

Public are the names in ``__all__`` here and in `eventstudy.errors`, `sources`, `measures`, `vintages`, `claims`, `inference`,
`figures` and `wording`, with what they return. Every other module, and every name that is in no ``__all__``, is private and may change
without notice.

Names are imported when they are first used, so that ``import eventstudy`` and the command line's help stay quick; ``__init__.pyi``
says from where.
"""

from __future__ import annotations

import os

import lazy_loader

__version__ = "0.1.0"

_find, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    """Import a public name when it is first used; say which was meant by one that there is not."""
    try:
        return _find(name)
    except AttributeError as error:
        from eventstudy.wording import did_you_mean

        known = [] if name.startswith("_") else __all__
        raise AttributeError(f"No eventstudy attribute {name}.{did_you_mean([name], known)}", name=name) from error


def _warn_of_namesake(site: str) -> None:
    """Warn if a distribution called ``eventstudy`` has put its files among those of ``eventstudy-finance``."""
    try:
        beside = os.listdir(site)
    except OSError:
        return
    if any(name.startswith("eventstudy-") and name.endswith(".dist-info") for name in beside):
        import warnings

        from eventstudy.errors import NAMESAKE

        warnings.warn(NAMESAKE, stacklevel=3)


_warn_of_namesake(os.path.dirname(os.path.dirname(__file__)))
