"""Claims read from their own file or from a study file; an error names the file, the claim, the key and what is allowed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from eventstudy.claims.kinds import ClaimOfKind
from eventstudy.claims.schema import BUILT_IN_BASKETS, SHORT_FORMS, ArticlePart, BasketPart, ClaimBook, ClaimPart
from eventstudy.errors import DataMissing, StudyFileError
from eventstudy.fields import Part, problem_text
from eventstudy.files import check_inside
from eventstudy.toml import read_toml
from eventstudy.wording import did_you_mean, steers

P = TypeVar("P", bound=Part)


def claims_of(folder: Path, given: object) -> ClaimBook:
    """Return the claims that a study file names or holds.

    Parameters
    ----------
    folder : Path
        The study's folder.
    given : str, list of dict or ClaimBook
        The value of the key ``claims``: a file's name, or the tables of ``[[claims]]``.

    Raises
    ------
    StudyFileError
        If the file or a claim is wrong.
    DataMissing
        If the file is not there.
    """
    if isinstance(given, ClaimBook):
        return given
    if isinstance(given, str):
        check_inside(folder, "claims", given)
        return read_claims(folder / given)
    if not isinstance(given, list | tuple):
        raise StudyFileError(
            f"claims is {given!r}; give the name of a file such as 'claims.toml', or tables [[claims]]."
        )
    return _book("claims", {"claims": list(given)}, None)


def read_claims(path: str | Path) -> ClaimBook:
    """Read a file of claims.

    Parameters
    ----------
    path : path
        TOML with ``[[claims]]``, and ``[articles.KEY]`` and ``[baskets.KEY]`` for what they name.

    Raises
    ------
    DataMissing
        If there is no such file.
    StudyFileError
        If it is not TOML, a key is wrong, or a claim names an article or basket that is not there; names the file, the claim's id, the
        key and what is allowed.
    """
    file = Path(path)
    where = f"{file.parent.name}/{file.name}"
    if not file.is_file():
        raise DataMissing(f"{where} is missing; the study file names it as its claims.")
    content = read_toml(file, "a file of claims", error=StudyFileError)
    try:
        return _book(where, content, file.name)
    except StudyFileError as error:
        raise StudyFileError(error.message, file=where) from error


def _book(where: str, content: dict[str, object], name: str | None) -> ClaimBook:
    known = ("articles", "baskets", "claims")
    foreign = sorted(set(content) - set(known))
    if foreign:
        raise StudyFileError(
            f"{where}: {', '.join(foreign)}: no such key; there are {', '.join(known)}.{did_you_mean(foreign, known)}"
        )
    articles = _tables(where, "articles", content.get("articles", {}), ArticlePart)
    baskets = _tables(where, "baskets", content.get("baskets", {}), BasketPart)
    tables = content.get("claims", [])
    if not isinstance(tables, list):
        raise StudyFileError(f"{where}: claims is {tables!r}; write each claim as a table [[claims]].")
    claims = tuple(_claim(where, place, table, needs_id=name is not None) for place, table in enumerate(tables))
    seen: set[str] = set()
    for claim in claims:
        here = f"{where}: claim {claim.id!r}"
        if claim.id in seen:
            raise StudyFileError(f"{here}: id: given twice; each claim needs its own id.")
        seen.add(claim.id)
        if name is not None and claim.article not in articles:
            raise StudyFileError(_unknown(here, "article", claim.article, articles))
        if not claim.article and not claim.source:
            raise StudyFileError(f"{here}: source: missing; say where the claim stands.")
        for basket in claim.baskets:
            if basket not in {*baskets, *BUILT_IN_BASKETS}:
                raise StudyFileError(_unknown(here, "baskets", basket, [*baskets, *BUILT_IN_BASKETS]))
    return ClaimBook(claims=claims, articles=articles, baskets=baskets, file=name)


def _unknown(here: str, key: str, word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    return f"{here}: {key}: there is no {word!r}; there are {', '.join(names) or 'none'}.{did_you_mean([word], names)}"


def _tables(where: str, key: str, given: object, part: type[P]) -> dict[str, P]:
    if not isinstance(given, dict):
        raise StudyFileError(f"{where}: {key} is {given!r}; write tables [{key}.KEY].")
    out = {}
    for name, table in given.items():
        if name in BUILT_IN_BASKETS:
            raise StudyFileError(f"{where}: {key}.{name}: this name is built in; choose another.")
        out[str(name)] = _read(f"{where}: {key}.{name}", table, part)
    return out


def _claim(where: str, place: int, table: object, *, needs_id: bool) -> ClaimPart:
    given = table.get("id") if isinstance(table, dict) else None
    number = f"{where}: claim number {place + 1}" if needs_id else f"{where}.{place}"
    here = f"{where}: claim {given!r}" if given else number
    claim = _read(here, table, ClaimOfKind)
    if needs_id and not claim.id:
        raise StudyFileError(f"{here}: id: missing; each claim needs its own short name.")
    return claim if claim.id else claim.model_copy(update={"id": f"claim {place + 1}"})


def _read(here: str, table: object, part: type[P]) -> P:
    if not isinstance(table, dict):
        raise StudyFileError(f"{here}: is {table!r}; it must be a table of keys.")
    try:
        return part(**{key: _clean(f"{here}: {key}", value) for key, value in table.items()})
    except ValidationError as error:
        known = [field.alias or name for name, field in part.model_fields.items()]
        known += SHORT_FORMS if issubclass(part, ClaimPart) else ()
        lines = []
        for item in error.errors():
            key = ".".join(str(p) for p in item["loc"])
            problem = problem_text(item, known, missing="missing; this key is needed")
            lines.append(": ".join(filter(None, (here, key, problem))))
        raise StudyFileError("\n".join(lines)) from error


def _clean(here: str, value: object) -> object:
    """Return a value with line breaks as spaces; refuse characters that would steer a terminal."""
    if isinstance(value, list):
        return [_clean(here, v) for v in value]
    if not isinstance(value, str):
        return value
    text = re.sub(r"[\n\r\t]+", " ", value)
    if steers(text) or any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise StudyFileError(f"{here}: {text[:60]!a} has a control character; remove it.")
    return text
