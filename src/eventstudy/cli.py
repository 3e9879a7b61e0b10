"""The command line: with console the only room that prints. Messages go to stderr, results to stdout."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from eventstudy.console import Console, Level, failure, let_go_of_streams, run_to_its_end
from eventstudy.ending import Ended, ending, time_limit
from eventstudy.errors import NAMESAKE, ExitCode, NotAsRecorded, StudyFileError, WronglyInstalled, gravest

if TYPE_CHECKING:
    from eventstudy.report.builds.build import Built
    from eventstudy.report.builds.differences import BuildDifferences, StudyDifferences
    from eventstudy.report.builds.manifest import Reason
    from eventstudy.studyfile.spec import StudySpec

EXIT_CODES = """
Exit codes: 0 done · 4 try again later. A person is needed for 1 out of date, not as recorded, or a conclusion would change ·
2 wrong study file or arguments · 3 data missing or unfit, or a notebook failed · 70 a fault of eventstudy itself.
"""

app = typer.Typer(
    name="eventstudy",
    help="How much did this news move the price, and how sure are we?\n\nSTUDY is a folder that holds a study.toml, or the "
    "file itself. Start one with `eventstudy new NAME`, look at it with `eventstudy run NAME`, make its report with "
    "`eventstudy build NAME`.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StudyArgument = Annotated[Path, typer.Argument(metavar="STUDY", help="Study file, or the folder that holds it.")]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="MOMENT",
        help="On the newest prices fetched up to and including a day (2025-11-01) or moment (2025-11-01T12:00), UTC.",
    ),
]
LogFormatOption = Annotated[
    Literal["text", "json"] | None,
    typer.Option(help="Messages for people (the default), or one JSON object a line."),
]


console = Console()
say = console.say


def _print_version(asked: bool) -> None:
    if asked:
        import eventstudy

        console.show(eventstudy.__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
    log_format: LogFormatOption = None,
) -> None:
    """Take what is asked of no single command."""
    console.log_format = log_format or console.log_format


@app.command()
def run(
    study: StudyArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, with all digits.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Cumulative abnormal returns by window as CSV.")] = False,
    as_of: AsOfOption = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Let the workers of a dask cluster fit the events, e.g. tcp://10.0.0.5:8786."
        ),
    ] = None,
) -> None:
    """Run a study and print the result.

    Example: eventstudy run reports/deepseek --json
    """
    if as_json and as_csv:
        raise StudyFileError("--json and --csv were both given; choose one.")
    from eventstudy.estimation.crews import connected
    from eventstudy.study.export import plain, result_tables
    from eventstudy.study.tables import rounded_csv

    spec = _load(study, as_of)
    with connected(scheduler) as executor:
        result = spec.run(executor=executor)
    age = _age_of(spec.folder, result.provenance.source)
    if age:
        say(f"{spec.name}: {age}")
    if as_json:
        import json

        content = {"study": spec.name, "title": spec.title, **result.to_dict(spec.model.report)}
        console.show(json.dumps(plain(content), ensure_ascii=False, indent=1, allow_nan=False))
    elif as_csv:
        console.show(rounded_csv(result_tables(result, spec.model.report)["car"], index=False), nl=False)
    else:
        from eventstudy.study.summary import summary_text

        console.show(f"{spec.title}\n\n{summary_text(result, spec.model.report)}")


@app.command()
def build(
    studies: Annotated[
        list[Path] | None, typer.Argument(metavar="[STUDY]...", help="By default every study under reports/.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only tell: exit 0 if up to date, 1 if not.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Say what changed since the last build.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Build even if nothing changed.")] = False,
    fetch: Annotated[
        bool,
        typer.Option("--fetch", help="Download prices first; if that fails, go on with the stored ones and say so."),
    ] = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Then publish a version, if it differs from the newest.")
    ] = False,
    accept_changes: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Let conclusions change, and record why in the report's corrections."),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Exit 4 at once if the report is being built.")] = False,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Exit 4 after this time; the last report stays.")
    ] = None,
    log_format: LogFormatOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Build the reports that are out of date: page, figures, tables, notebooks, numbers, manifest.

    A build that fails, is stopped or would change a conclusion leaves the last report as it was.

    Example: eventstudy build reports/deepseek --why
    """
    console.log_format = log_format or console.log_format
    paths = _studies(studies)
    if check:
        stale = [path for path in paths if _tell(_load(path, as_of))]
        raise typer.Exit(NotAsRecorded.EXIT_CODE if stale else 0)

    options = BuildOptions(force, why, fetch, publish, accept_changes, not no_wait, timeout, as_of, len(paths) > 1)
    code = build_studies(paths, options, console)
    for path in paths if code == 0 else []:
        console.show(str(path.parent / "index.html" if path.is_file() else path / "index.html"))
    if code:
        raise typer.Exit(code)


def _studies(given: list[Path] | None) -> list[Path]:
    if given:
        return given
    found = sorted(Path("reports").glob("*/study.toml"))
    if not found:
        raise StudyFileError("There is no study under reports/; name one, or start one with 'eventstudy new NAME'.")
    return found


def _load(path: Path, as_of: str | None = None) -> StudySpec:
    from eventstudy.studyfile.spec import load_study

    spec = load_study(path)
    return spec if as_of is None else spec.as_of(as_of)


def _tell(spec: StudySpec) -> tuple[Reason, ...]:
    from eventstudy.report.builds.manifest import Reason, out_of_date
    from eventstudy.report.builds.publish import publication_due
    from eventstudy.report.builds.staging import interrupted

    reasons = out_of_date(spec)
    if not reasons and publication_due(spec.folder):
        reasons = (Reason("not published", spec.name, "build again to publish it"),)
    if interrupted(spec.folder):
        reasons = (Reason("interrupted", spec.name, "a build was killed; build again to finish it"), *reasons)
    for line in reasons or ("up to date",):
        console.show(f"{spec.name}: {line}")
    return reasons


@app.command()
def fetch(study: StudyArgument) -> None:
    """Download a study's prices from Yahoo into its folder; with `build --fetch` the only command that uses the network.

    Each download is a file of its own, never overwritten. The study file is not changed; the last lines say what changed
    against the download before, and how to use the new prices.
    """
    from eventstudy.files import stored_name
    from eventstudy.report.builds.differences import change_since_last
    from eventstudy.report.builds.fetch import fetch_prices, next_step
    from eventstudy.vintages.store import find_vintage

    spec = _load(study)
    with console.progress(spec.name) as progress:
        path = fetch_prices(spec, progress)
    changed = change_since_last(find_vintage(spec.folder, stored_name(path)), spec.folder)
    if changed:
        say(f"{spec.name}: {changed}")
    say(f"{spec.name}: {next_step(spec, path)}")
    console.show(str(path))


@app.command()
def prune(
    study: StudyArgument,
    keep: Annotated[str, typer.Option(metavar="DAYS", help="Age up to which all downloads stay, such as 90d.")],
) -> None:
    """Remove a study's old downloads; no report changes by it, and no version is published.

    Never removed are the newest, the one that the study file names, and those that the report or a published version was made from.

    Example: eventstudy prune reports/my-event --keep 90d
    """
    from eventstudy.report.builds.prune import prune as remove_old
    from eventstudy.written_days import number_of_days

    try:
        days = number_of_days(keep)
    except ValueError as error:
        raise StudyFileError(f"--keep is {str(error).replace('7d', '90d')}.") from error
    spec = _load(study)
    removed = remove_old(spec, days)
    for vintage in removed:
        console.show(f"{vintage.name}: removed")
    if not removed:
        say(f"{spec.name}: nothing to remove; no download that nothing was made from is older than {days} days")


@app.command()
def diff(
    tables: Annotated[
        list[str],
        typer.Argument(
            metavar="A B | STUDY [OLD] [NEW]", help="Two builds or two price files; or a study and two of its vintages."
        ),
    ],
    versions: Annotated[
        tuple[int, int] | None, typer.Option(metavar="OLD NEW", help="Compare two published versions of STUDY.")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Returns that differ by no more are equal, a fraction.")] = 2e-6,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, with all digits.")] = False,
) -> None:
    """Say what differs between two builds, or two tables of prices, and why: exit 1 if a number or result does.

    A build is the folder of a built report, or its numbers.json. OLD and NEW are vintages by name, price files or the word
    snapshot; by default the study's last two vintages.

    Example: eventstudy diff reports/my-event
    """
    from eventstudy.study.export import plain

    found = _differences(tables, versions, tolerance)
    if as_json:
        import json

        console.show(json.dumps(plain(found.to_dict()), ensure_ascii=False, indent=1, allow_nan=False))
    else:
        console.show(repr(found))
    if found.differ:
        raise typer.Exit(NotAsRecorded.EXIT_CODE)


def _differences(
    words: list[str], versions: tuple[int, int] | None, tolerance: float
) -> StudyDifferences | BuildDifferences:
    from eventstudy.report.builds.numbers import is_build

    if versions is not None or (len(words) == 2 and all(map(is_build, words))):
        from eventstudy.report.builds.differences import build_differences, version_differences

        if versions is None:
            return build_differences(Path(words[0]), Path(words[1]))
        if len(words) != 1:
            raise StudyFileError("--versions compares two versions of one study; name that study and nothing else.")
        return version_differences(Path(words[0]), *versions)
    from eventstudy.report.builds.differences import differences

    return differences(words, tolerance)


@app.command()
def check(
    study: StudyArgument,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Only compare with a second vendor's prices; exit 0 if all days agree."),
    ] = None,
    tolerance: Annotated[float, typer.Option(help="With --against: closes agree up to this difference.")] = 0.005,
    basis_points: Annotated[float, typer.Option(help="With --against: returns agree up to this difference.")] = 2.0,
    use_returns: Annotated[
        bool, typer.Option("--returns", help="With --against: compare returns only, not closes as traded.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --against: everything as JSON.")] = False,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Only build again elsewhere and compare every byte; exit 0 if all are equal."),
    ] = False,
    as_of: AsOfOption = None,
) -> None:
    """Check the study's prices, and verify embedded data, stored vintages and built files against their recorded digests.

    Prices with an error end in exit code 3 and a list of every error, unless the study file says why it does no harm (table prices.accept).

    Example: eventstudy check reports/my-event --against NVDA.csv
    """
    if against is not None:
        _against(_load(study, as_of), against, (tolerance, basis_points, use_returns), as_json)
        return
    if rebuild:
        _rebuild(_load(study, as_of))
        return
    from eventstudy.prices.snapshot import verify_embedded
    from eventstudy.report.builds.publish import verify_versions
    from eventstudy.report.findings import compute, data_checks
    from eventstudy.study.validity import PRICE_CHECK
    from eventstudy.vintages.store import list_vintages, verify_vintage

    spec = _load(study, as_of)
    verify_embedded()
    console.show("embedded data: as recorded")
    for vintage in list_vintages(spec.folder):
        verify_vintage(vintage)
        console.show(f"{vintage.name}: as recorded")
    if spec.publish_folder is not None:
        console.show(f"published versions: {verify_versions(spec.publish_folder)}, as recorded")
    findings = compute(spec)
    for item in findings.everyone.checks:
        listed_below = item.name == PRICE_CHECK
        console.show(
            f"{'holds' if item.passed else 'NOTE '}  {item.name}: {item.value}"
            + (f" – {item.comment}" if item.comment and not listed_below else "")
        )
    for line in data_checks(findings):
        console.show(f"prices {line}")
    for claim in findings.claims:
        console.show(f"claim {claim.id} “{claim.quote}” ({claim.source}): {claim.verdict_text}. {claim.sentence}")
    if _tell(spec):
        raise typer.Exit(NotAsRecorded.EXIT_CODE)


def _rebuild(spec: StudySpec) -> None:
    from eventstudy.report.builds.build import rebuild_differs
    from eventstudy.report.builds.manifest import out_of_date

    with console.progress(spec.name) as progress:
        differing = rebuild_differs(spec, progress)
    for line in differing or ("a rebuild gives the same bytes",):
        console.show(f"{spec.name}: {line}")
    if differing:
        for reason in out_of_date(spec):
            console.show(f"{spec.name}: {reason}")
        raise typer.Exit(NotAsRecorded.EXIT_CODE)


def _against(spec: StudySpec, file: Path, options: tuple[float, float, bool], as_json: bool) -> None:
    import json

    from eventstudy.report.findings import window_days
    from eventstudy.sources.files.open import read_prices
    from eventstudy.study.export import plain
    from eventstudy.vintages.second_opinion import second_opinion

    tolerance, basis_points, use_returns = options
    prices = spec.load_prices()
    limits = {"tolerance": tolerance, "basis_points": basis_points}
    needed = window_days(spec, prices)
    found = second_opinion(prices, read_prices(file), **limits, use_returns=use_returns, needed=needed)
    console.show(json.dumps(plain(found.to_dict()), ensure_ascii=False, indent=1) if as_json else repr(found))
    if not (found.agrees and found.complete):
        raise typer.Exit(NotAsRecorded.EXIT_CODE)


@app.command()
def claims(
    study: StudyArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, with all digits.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One row a claim as CSV.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A table an article as Markdown.")] = False,
    as_of: AsOfOption = None,
) -> None:
    """Judge the articles' claims of a study: verdict, number, inputs, and a sentence for each.

    Exit code 0 whatever the verdicts. Further claims are added to the study's claims.toml.

    Example: eventstudy claims reports/deepseek --markdown
    """
    if as_json + as_csv + as_markdown > 1:
        raise StudyFileError("More than one of --json, --csv and --markdown was given; choose one.")
    from eventstudy.study.export import plain
    from eventstudy.study.tables import rounded_csv

    spec = _load(study, as_of)
    ledger = spec.claims_ledger()
    if as_json:
        import json

        content = {"study": spec.name, "title": spec.title, "claims": ledger.to_dict()}
        console.show(json.dumps(plain(content), ensure_ascii=False, indent=1, allow_nan=False))
    elif as_csv:
        console.show(rounded_csv(ledger.table), nl=False)
    else:
        console.show(ledger.markdown if as_markdown else repr(ledger), nl=not as_markdown)


@app.command()
def new(name: Annotated[Path, typer.Argument(metavar="NAME", help="Folder to make, e.g. reports/my-event.")]) -> None:
    """Make a folder with a study file, events and a notebook to start from, ready to build.

    Example: eventstudy new reports/my-event && eventstudy build reports/my-event
    """
    from eventstudy.studyfile.starter import make_starter

    folder = make_starter(name)
    say(f"{folder.name}: edit study.toml and events.csv, then: eventstudy build {shlex.quote(str(folder))}")
    console.show(str(folder))


def main() -> None:
    """Run the command line; an error ends in a message and its exit code."""
    with ending(console.last_words):
        code = run_to_its_end(_checked_app, console)
    let_go_of_streams()
    raise SystemExit(code)


def _checked_app(**options: bool) -> object:
    """Run the application, if the package's face is this one's: a namesake that was installed later has replaced it."""
    import eventstudy

    if "EventStudy" not in dir(eventstudy):
        raise WronglyInstalled(NAMESAKE)
    return app(**options)


# -- What ``eventstudy build`` does with each study, and with what order of checks, so that nothing to do takes no


#: Results that flipped and are no conclusions: so many are said.
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """How to build, as the command line's options say."""

    force: bool = False
    why: bool = False
    fetch: bool = False
    publish: bool = False
    accept_changes: str | None = None
    wait: bool = True
    timeout: float | None = None
    as_of: str | None = None

    #: Whether several studies are built, to each of which applies what can apply.
    fleet: bool = False

    def fit_for(self, spec: StudySpec, console: Console) -> BuildOptions:
        """Return the options without those that a study of several has no use for, and say so."""
        fetch = self.fetch and (spec.prices.newest or not self.fleet)
        publish = self.publish and (spec.publish is not None or not self.fleet)
        if self.fetch and not fetch:
            console.say(f"nothing to fetch: prices come from {spec.prices.words}", study=spec.name, step="fetch")
        if self.publish and not publish:
            console.say("not published: the study file has no [publish]", study=spec.name, step="publish")
        return replace(self, fetch=fetch, publish=publish)

    @property
    def plain(self) -> bool:
        """Whether a report that is up to date needs nothing."""
        return not (self.force or self.fetch or self.publish or self.accept_changes or self.as_of)


def build_studies(paths: Sequence[Path], options: BuildOptions, console: Console) -> ExitCode:
    """Build studies one after the other; one that fails does not keep the others from being built."""
    if options.as_of is not None and options.fetch:
        raise StudyFileError("--fetch and --as-of were both given; what is fetched now was not there then. Choose one.")
    from eventstudy.files import sweep_temporary

    sweep_temporary()
    codes: list[ExitCode] = []
    names = [_folder(path).name for path in paths]
    too_long = (
        f"Not finished after {options.timeout or 0:g} s (--timeout); the report is the last one that was finished."
    )
    try:
        with time_limit(options.timeout, too_long):
            for path, name in zip(paths, names, strict=True):
                console.study = name
                codes.append(_build_told(path, options, console))
    except Ended as end:
        left = f" Not begun: {', '.join(names[len(codes) + 1 :])}." if names[len(codes) + 1 :] else ""
        console.last_words(f"{end}{left}", end.EXIT_CODE)
        codes.append(end.EXIT_CODE)
    return gravest(codes)


def _build_told(path: Path, options: BuildOptions, console: Console) -> ExitCode:
    """Build a study and say with which exit code it failed, of whatever kind the fault is."""
    try:
        return _build(path, options, console)
    except Exception as error:
        words, code = failure(error)
        console.last_words(words, code)
        return code


def _folder(path: Path) -> Path:
    return (path.parent if path.is_file() else path).resolve()


def _build(path: Path, options: BuildOptions, console: Console) -> ExitCode:
    from eventstudy.report.builds.manifest import unchanged
    from eventstudy.report.builds.publish import publication_due
    from eventstudy.report.builds.staging import left_behind

    folder = _folder(path)
    if options.plain and unchanged(folder) and not left_behind(folder) and not publication_due(folder):
        console.say(f"up to date{_age(folder)}", study=folder.name, step="check", exit_code=0)
        return ExitCode.DONE
    from eventstudy.report.builds.build import LOCK_TIMEOUT, build_lock
    from eventstudy.report.builds.build import build as build_build
    from eventstudy.studyfile.spec import load_study

    wait = LOCK_TIMEOUT if options.wait else 0
    spec = load_study(path)
    with build_lock(spec.folder, wait), console.progress(spec.name) as progress:
        spec = load_study(path)  # as it is now: whoever held the lock may have gone on editing
        options = options.fit_for(spec, console)
        built = build_build(
            spec if options.as_of is None else spec.as_of(options.as_of),
            force=options.force,
            progress=progress,
            fetch=options.fetch,
            accept_changes=options.accept_changes,
            to_publish=options.publish,
            wait=wait,
        )
    messages = list(_messages(built, options.why))
    code = failure(built.fetch_failed)[1] if built.fetch_failed else ExitCode.DONE
    for place, (step, level, words) in enumerate(messages, start=1):
        console.say(words, study=spec.name, step=step, level=level, exit_code=code if place == len(messages) else None)
    return code


def _age(folder: Path) -> str:
    """Return in words how old the prices of a built report are, if they were downloaded."""
    from eventstudy.report.builds.manifest import read_manifest

    words = _age_of(folder, (read_manifest(folder) or {}).get("data", {}).get("source", ""))
    return f"; {words}" if words else ""


def _age_of(folder: Path, source: str) -> str:
    """Return in words how old a study's stored download is, and when a later one was equal to it; empty for prices of other sources, which have no such day."""
    from eventstudy.files import STORED_NAME, confirmed_at, stored_age, stored_at, stored_name

    name = stored_name(Path(source))
    if STORED_NAME.fullmatch(name) is None:
        return ""
    day, last = stored_at(name).date(), confirmed_at(folder / "prices" / Path(source).name).date()
    return f"prices of {day}, {stored_age(name)}" + (f", confirmed on {last}" if last > day else "")


def _messages(built: Built, why: bool) -> Iterator[tuple[str, Level, str]]:
    """Give what is to be said of a build: step, level, words."""
    from eventstudy.wording import first_few

    if built.fetched:
        yield "fetch", "info", built.fetched
    if built.fetch_failed:
        yield "fetch", "error", f"{failure(built.fetch_failed)[0]} The report is of the prices that are stored."
    for reason in built.reasons if why else ():
        yield "why", "info", str(reason)
    done = f"built, {len(built.written)} file(s) changed" if built.reasons else "up to date"
    yield "build", "info", f"{done}{_age(built.folder)}"
    for c in built.corrections:
        yield "corrections", "warning", f"corrected, {c.what}: {c.old} → {c.new}"
    if built.flips:
        yield "numbers", "warning", f"other numbers flipped: {first_few(built.flips, _SHOWN, '; ')}"
    where = built.publication
    if where is None:
        return
    for words in where.found:
        yield "publish", "warning", words
    if where.held_back:
        yield "publish", "warning", f"not published: {where.held_back}"
    else:
        said = "published as" if where.new else "already published as"
        yield "publish", "info", f"{said} version {where.version} in {where.folder}"
