"""The study file: what it may say, and the study that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field, Strict, ValidationError, model_validator

from eventstudy.claims import ClaimBook, ClaimsLedger, Evidence, claims_of, judge
from eventstudy.errors import DataMissing, DataUnfit, InvalidInput, StudyFileError
from eventstudy.estimation import NormalReturnModel
from eventstudy.events import EventList
from eventstudy.fields import Line, Part
from eventstudy.figures.house_style import load_style
from eventstudy.figures.presentation import Presentation
from eventstudy.files import check_file_name, check_inside, command_path, own_notebooks, read_table
from eventstudy.prices.snapshot import FACTOR_COLUMNS, ShareCount, load_factors
from eventstudy.prices.table import YAHOO, Prices
from eventstudy.sources import load_prices, source_of
from eventstudy.sources.events import read_events
from eventstudy.sources.files.french import read_french_factors
from eventstudy.sources.files.open import PriceFile
from eventstudy.sources.source import Source
from eventstudy.study.results import EventStudyResult
from eventstudy.study.run import EventStudy
from eventstudy.studyfile.parts import (
    ModelPart,
    Moment,
    Notebooks,
    OrdinaryPart,
    OtherDay,
    Parameters,
    PricesPart,
    PublishPart,
    UniversePart,
    Variant,
    explain,
)
from eventstudy.studyfile.release import State, Status, release_mark, release_state
from eventstudy.toml import check_texts, read_toml
from eventstudy.vintages.store import find_vintage, list_vintages
from eventstudy.windows import Window
from eventstudy.wording import first_few, listed

FILE_NAME = "study.toml"
#: Keys of reports of events that one of a day does not show.
NOT_OF_A_DAY = ("headline", "timeline", "claims", "other_days", "robustness", "universe", "pdf")


class StudySpec(Part):
    """A study file, validated.

    Attributes
    ----------
    folder : Path
        Where the study file lies; other files are named relative to it and must stay inside it.
    title, question : str
        Heading of the report, and the question that it answers.
    event : str
        The news in a few words, for figures and sentences.
    background : str
        What a reader should know first; shown on the page.
    headline : tuple of str
        Tickers in the focus; by default all events.
    names : dict of str
        What to call a ticker in sentences, e.g. ``NVDA = "Nvidia"``.
    events, timeline : str
        File names; events need a firm and a day (see `EventStudy.run`), a timeline date and what.
    events_encoding : str, optional
        That of the file of events if it is not UTF-8, such as ``"cp1252"``.
    claims : ClaimBook
        Articles' claims, from the file that the key ``claims`` names or from ``[[claims]]``.
    style : str
        File name of the house style of the figures; by default the one in use.
    pdf : bool
        Whether a build also writes the report as a tagged PDF (extra ``pdf``).
    notebooks : tuple of str
        Notebooks to execute; without the key every ``.ipynb`` file in the folder.
    trust_notebooks : bool
        Whether the pages of the study's notebooks keep scripts; without it all that runs or loads in a browser is left out.
    parameters : dict
        Values set in every notebook, by name.
    status, embargo_until
        ``draft``, or a moment with its zone, marks page and figures and keeps the report out of the publish folder.
    """

    folder: Path
    title: Line
    question: Line = ""
    event: Line
    background: str = ""
    headline: tuple[str, ...] = ()
    names: dict[str, Line] = Field(default_factory=dict)
    events: str = "events.csv"
    events_encoding: str | None = None
    timeline: str | None = None
    prices: PricesPart = PricesPart()
    model: ModelPart = ModelPart()
    other_days: tuple[OtherDay, ...] = ()
    robustness: tuple[Variant, ...] = ()
    universe: UniversePart | None = None
    ordinary_days: OrdinaryPart | None = None
    claims: ClaimBook = ClaimBook()
    notebooks: Notebooks = ()
    trust_notebooks: Annotated[bool, Strict()] = False
    style: str | None = None
    pdf: bool = False
    parameters: Parameters = Field(default_factory=dict)
    status: Status = "final"
    embargo_until: Moment | None = None
    publish: PublishPart | None = None

    @model_validator(mode="before")
    @classmethod
    def _notebooks_of_the_folder(cls, given: object) -> object:
        if not isinstance(given, dict) or "notebooks" in given or not isinstance(given.get("folder"), Path):
            return given
        return {**given, "notebooks": own_notebooks(given["folder"])}

    @model_validator(mode="before")
    @classmethod
    def _claims_of_their_file(cls, given: object) -> object:
        if not isinstance(given, dict) or "claims" not in given:
            return given
        return {**given, "claims": claims_of(Path(given.get("folder", ".")), given["claims"])}

    @model_validator(mode="after")
    def _a_day_is_one_story(self) -> StudySpec:
        """Refuse what a report of a day would not show."""
        unshown = [key for key in NOT_OF_A_DAY if key in self.model_fields_set and getattr(self, key)]
        if self.ordinary_days is not None and unshown:
            raise ValueError(
                f"[ordinary_days] makes a report of the day, in which {listed(unshown)} would not be shown; remove {'it' if len(unshown) == 1 else 'them'}, "
                "or make a study of its own for the day"
            )
        if self.ordinary_days is not None and self.model.measure != "return":
            raise ValueError(f"[ordinary_days] is made of returns, and model.measure is {self.model.measure!r}")
        if self.ordinary_days is not None and 0 not in self.model.window:
            raise ValueError(
                f"[ordinary_days] ranks day 0 among ordinary days, and model.window {self.model.window} does not hold it"
            )
        return self

    @model_validator(mode="after")
    def _paths_stay_inside(self) -> StudySpec:
        named = {
            "events": (self.events,),
            "timeline": (self.timeline,),
            "style": (self.style,),
            "notebooks": self.notebooks,
            "prices.factors": self.prices.factors,
        }
        named["prices.source"] = self.prices.files
        for key, names in named.items():
            for name in names:
                if name is not None:
                    check_inside(self.folder, key, name)
        return self

    def __repr__(self) -> str:
        return f"load_study({str(self.folder)!r})"

    @property
    def path(self) -> Path:
        """The study file."""
        return self.folder / FILE_NAME

    def call(self, ticker: str) -> str:
        """Return what sentences call a ticker: its name if the file gives one."""
        return self.names.get(ticker, ticker)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def state(self) -> State:
        """Whether the report is ``final``, a ``draft``, ``embargoed`` or ``released`` after its embargo, by the clock."""
        return release_state(self.status, self.embargo_until)

    @property
    def publish_folder(self) -> Path | None:
        """Where versions of the report are published, if the study file says so."""
        return None if self.publish is None else (self.folder / self.publish.folder).resolve()

    def event_list(self) -> EventList:
        """Return the study's events, a tuple that also knows which columns of the file were not used.

        Raises
        ------
        StudyFileError
            If the file cannot be read as events; names the file.
        """
        try:
            found = read_events(self.folder / self.events, self.events_encoding)
        except DataMissing as error:
            raise DataMissing(f"{self.folder.name}/{self.events} is missing; the study file names it.") from error
        except (InvalidInput, DataUnfit) as error:
            raise StudyFileError(f"{self.folder.name}/{self.events}: {error.message}") from error
        unknown = set(self.headline) - {e.ticker for e in found}
        if unknown:
            raise StudyFileError(
                f"{self.path.name}: headline names {', '.join(sorted(unknown))}, which {self.events} does not have; "
                f"its tickers are {', '.join(sorted({e.ticker for e in found}))}."
            )
        return found

    def headline_tickers(self) -> tuple[str, ...]:
        """Return the tickers in the focus: those named, or all of the events."""
        return self.headline or tuple(dict.fromkeys(e.ticker for e in self.event_list()))

    def needed_tickers(self) -> tuple[str, ...]:
        """Return every ticker and benchmark that the study's prices must hold."""
        columns = [c for _, model in self._models for c in model.columns if c not in FACTOR_COLUMNS]
        return tuple(dict.fromkeys([*(e.ticker for e in self.event_list()), *columns]))

    def factors(self) -> pd.DataFrame | None:
        """Return the factors, of the files that the study names or the embedded ones, if a model uses them, else None."""
        if not any(set(model.columns) & set(FACTOR_COLUMNS) for _, model in self._models):
            return None
        own = [self.folder / name for name in self.prices.factors]
        return read_french_factors(own) if own else load_factors()

    @property
    def _models(self) -> list[tuple[str, NormalReturnModel]]:
        """The study's models, each after the table of the study file that names it."""
        variants = [
            (f"[[robustness]] {v.label!r}" if v.label else "[[robustness]]", v.build()) for v in self.robustness
        ]
        return [("[model]", self.build_model()), *variants]

    def _asked_by(self, missing: object) -> str:
        """Say which rows of the events, and which table of the study file, ask for prices that are missing."""
        wanted = set(missing) if isinstance(missing, tuple) else set()
        found = [
            f"{table} asks for {', '.join(own)}"
            for table, model in self._models
            if (own := sorted(wanted & {*model.columns}))
        ]
        rows = [f"{e.ticker} in row {i}" for i, e in enumerate(self.event_list(), start=1) if e.ticker in wanted]
        said = f" {self.events} names {first_few(rows, 6)}." if rows else ""
        return said + (f" In the study file {'; '.join(found)}." if found else "")

    def build_model(self) -> NormalReturnModel:
        """Return the model of normal returns that the file names."""
        return self.model.build()

    def build_study(self, variant: Variant | None = None) -> EventStudy:
        """Return the specification as an `EventStudy`; a variant replaces model and estimation window."""
        model = self.build_model() if variant is None else variant.build()
        estimation = self.model.estimation if variant is None or variant.estimation is None else variant.estimation
        try:
            return self._study(model, estimation)
        except InvalidInput as error:
            where = "model" if variant is None else "robustness"
            raise StudyFileError(f"{self.path.name}: [{where}]: {error.message}") from error

    def _study(self, model: NormalReturnModel, estimation: Window) -> EventStudy:
        part = self.model
        return EventStudy(
            model=model,
            estimation=estimation,
            window=part.window,
            returns=part.returns,
            closed_day=part.closed_day,
            calendar=part.calendar,
            min_estimation=part.min_estimation,
            max_dropped=part.max_dropped,
            measure=part.measure,
            gaps=part.gaps,
            accept=self.prices.accept,
        )

    def price_source(self) -> Source:
        """Return the source of the study's prices: embedded ones, a stored vintage of Yahoo, or its own file.

        Raises
        ------
        DataMissing
            If prices come from Yahoo and the vintage, or any, is not stored.
        """
        given = self.prices.source
        if isinstance(given, dict):
            return source_of({ticker: self.folder / name for ticker, name in given.items()}, self.prices.encoding)
        if self.prices.files:
            paths = [self.folder / name for name in self.prices.files]
            return source_of(paths if isinstance(given, list) else paths[0], self.prices.encoding)
        return PriceFile(self._vintage()) if self.prices.downloaded else source_of(given)

    def _vintage(self) -> Path:
        if self.prices.vintage is None and not list_vintages(self.folder, YAHOO):
            raise DataMissing(
                f"{self.path.name}: prices.source is 'yahoo', no vintage is stored, and only 'eventstudy fetch' uses the network. "
                f"Run 'eventstudy fetch {command_path(self.folder)}' once; it stores the prices in the study's folder."
            )
        try:
            return find_vintage(self.folder, self.prices.vintage).path
        except DataMissing as error:
            raise DataMissing(f"{self.path.name}: prices.vintage: {error.message}", **error.facts) from error

    def as_of(self, moment: str | date) -> StudySpec:
        """Return the same study on the newest vintage fetched up to a day or moment (UTC), whatever its own source.

        Raises
        ------
        DataMissing
            If no vintage was fetched up to then.
        InvalidInput
            If it is no such day or moment.
        """
        try:
            name = find_vintage(self.folder, as_of=moment).name
        except DataMissing as error:
            if not self.prices.files or list_vintages(self.folder, YAHOO):
                raise
            raise DataMissing(
                f"{self.path.name}: prices.source is the file {', '.join(self.prices.files)}, and as_of (--as-of) picks among stored downloads from Yahoo, "
                f"of which this study has none. Leave it out to use the file, or run 'eventstudy fetch {command_path(self.folder)}' first.",
                **error.facts,
            ) from error
        return self.model_copy(update={"prices": self.prices.model_copy(update={"source": YAHOO, "vintage": name})})

    def load_prices(self) -> Prices:
        """Return the prices that the study needs, from its source.

        Raises
        ------
        DataMissing
            If a ticker, a date or the file is missing.
        """
        source = self.price_source()
        try:
            found = load_prices(list(self.needed_tickers()), self.prices.start, self.prices.end, source=source)
            return self._in_currency(found)
        except DataMissing as error:
            raise DataMissing(f"{error.message}{self._asked_by(error.facts.get('missing'))}", **error.facts) from error

    def _in_currency(self, prices: Prices) -> Prices:
        """Return prices of which the shares are in the currency that the study names, if they do not name one themselves."""
        chosen = self.prices.currency
        if chosen is None:
            return prices
        for ticker, currency in prices.currency.items():
            if currency != chosen:
                raise StudyFileError(
                    f"{self.path.name}: prices.currency is {chosen!r}, but {prices.provenance.source} has {ticker} in {currency}; correct one of them."
                )
        shares = [t for t in prices.tickers if not t.startswith("^")]
        return replace(prices, currency={**dict.fromkeys(shares, chosen), **prices.currency})

    def run(self, prices: Prices | None = None, *, executor: object = None) -> EventStudyResult:
        """Run the study on all its events.

        Parameters
        ----------
        prices : Prices, optional
            In place of the study's own source.
        executor : Executor or dask Client, optional
            Who works on the events; see `EventStudy.run`.
        """
        chosen = self.load_prices() if prices is None else prices
        found = self.build_study().run(chosen, self.event_list(), self.factors(), executor=executor)
        return replace(found, presentation=self.presentation())

    def presentation(self) -> Presentation:
        """Return what the study gives to its figures: its house style, its release mark by the clock, its names."""
        mark = release_mark(self.state, self.embargo_until)
        until = self.embargo_until.isoformat() if self.embargo_until and mark else ""
        try:
            style = load_style(self.folder / self.style) if self.style else None
        except (DataMissing, InvalidInput) as error:
            raise StudyFileError(f"{self.path.name}: style: {error.message}") from error
        return Presentation(style, mark, until, self.names)

    def claims_ledger(
        self,
        result: EventStudyResult | None = None,
        *,
        panel: Prices | None = None,
        shares: Mapping[str, tuple[ShareCount, ...]] | None = None,
    ) -> ClaimsLedger:
        """Judge the study's claims: each with verdict, number, inputs and a sentence.

        Parameters
        ----------
        result : EventStudyResult, optional
            The study run on other prices; by default it is run on its own.
        panel : Prices, optional
            S&P 500 members in place of the embedded panel.
        shares : mapping of str to tuple of ShareCount, optional
            Share counts by ticker, oldest first, in place of all embedded ones.

        Raises
        ------
        StudyFileError
            If a claim names an asset without prices or has no day to count from; names file, claim and key.
        """
        found = self.run() if result is None else result
        if found.prices is None or found.measure != "return":
            raise InvalidInput(
                "Claims are judged by prices and returns; run the study on prices, with model.measure = 'return'."
            )
        evidence = Evidence(
            prices=found.prices,
            study=self.build_study(),
            result=found,
            book=self.claims,
            names=self.names,
            factors=self.factors(),
            given_panel=panel,
            given_shares=shares,
            timeline=read_table(self.folder / self.timeline) if self.timeline else None,
        )
        return judge(evidence)


def judge_claims(study: StudySpec | str | Path, prices: Prices | None = None) -> ClaimsLedger:
    """Judge the claims of a study: a shortcut for `StudySpec.claims_ledger`.

    Parameters
    ----------
    study : StudySpec or path
        The study, its file or its folder.
    prices : Prices, optional
        In place of the study's own source.

    Returns
    -------
    ClaimsLedger
        Iterates over claims; ``.table`` is a DataFrame, ``.markdown`` text.
    """
    spec = study if isinstance(study, StudySpec) else load_study(study)
    return spec.claims_ledger(spec.run(prices))


def load_study(path: str | Path) -> StudySpec:
    """Read a study file, or the study file of a folder.

    Parameters
    ----------
    path : path
        ``reports/deepseek`` or ``reports/deepseek/study.toml``.

    Returns
    -------
    StudySpec

    Raises
    ------
    StudyFileError
        If there is no study file, it is not TOML, or a key is wrong; names the file and the key.
    """
    given = Path(path)
    file = given / FILE_NAME if given.is_dir() else given
    if not file.is_file():
        raise StudyFileError(
            f"There is no study file at {given}; give a folder that holds {FILE_NAME}, or start one with "
            f"'eventstudy new NAME'."
        )
    if file.suffix.lower() != ".toml":
        raise StudyFileError(
            f"{file.name} is no study file. A list of events goes into the folder of a study, beside its {FILE_NAME}: start one with "
            f"'eventstudy new NAME', put the list there and name it under events."
        )
    check_file_name(file.parent.resolve())
    content = read_toml(file, error=StudyFileError)
    folder = file.parent.resolve()
    try:
        check_texts(content)
        check_texts(folder.name, "the folder's name")
        found = StudySpec(folder=folder, **content)
        check_texts(list(found.notebooks), "notebooks")
        return found
    except ValidationError as error:
        raise StudyFileError(explain(file, error, [k for k in StudySpec.model_fields if k != "folder"])) from error
    except InvalidInput as error:
        raise StudyFileError(f"{file}: {error.message}") from error
    except TypeError as error:
        raise StudyFileError(f"{file}: the key 'folder' is set by where the file lies; remove it.") from error
