"""Run the notebooks of a report: the same bytes every time, within a limit of time, each kernel ended."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventstudy.errors import DataMissing, EventStudyError, ExitCode, InvalidInput, StudyFileError
from eventstudy.figures.house_style import STYLE_VARIABLE
from eventstudy.figures.presentation import MARK_VARIABLE, UNTIL_VARIABLE
from eventstudy.files import read_small, staged
from eventstudy.report.notebook_page import LEFT_OUT, TEXT_LIMIT, Allowance, scrubbed, to_html, without_colour
from eventstudy.wording import plural

if TYPE_CHECKING:
    from jupyter_client import AsyncKernelManager
    from nbclient import NotebookClient
    from nbformat import NotebookNode

    from eventstudy.console import Progress

#: Longest time for one cell, in seconds.
CELL_TIMEOUT = 300
#: Lines shown of what a kernel said that died, and the bytes in which they are looked for.
_SAID, _SAID_BYTES = 10, 10_000
#: Characters shown of an error, from its beginning and from its end.
_ERROR = 10_000
#: No notebook is larger, with outputs that are stored in it.
_MAX_BYTES = 100_000_000
#: The tag of the cell after which parameters are set, and of the cell that sets them.
PARAMETERS_TAG, INJECTED_TAG = "parameters", "injected-parameters"


#: A kernel's program. On Linux it ends in the instant in which the build is killed (1 is PR_SET_PDEATHSIG, 9 SIGKILL), so that it writes
#: nothing where the next command has tidied up; elsewhere ipykernel looks once a second.
_KERNEL = """
import ctypes, os, runpy, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != {}:
        os._exit(0)
runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)
"""


class NotebookFailed(EventStudyError, RuntimeError):
    """A cell of a notebook raised an error; the message holds the cell and the error."""

    EXIT_CODE = ExitCode.UNFIT


class Kernels:
    """The running kernels of a build, so that all of them can be ended at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self.stopped = False

    def add(self, pid: int) -> None:
        """Remember a process; end it at once if the build has been stopped."""
        with self._lock:
            self._running.add(pid)
        if self.stopped:
            self.stop()

    def remove(self, pid: int) -> None:
        """Forget a process that has ended."""
        with self._lock:
            self._running.discard(pid)

    def stop(self) -> None:
        """End every kernel that runs; those that start later end at once."""
        import signal

        self.stopped = True
        with self._lock:
            running, self._running = self._running, set()
        for pid in running:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:  # it has ended by itself
                continue


def require_notebook_tools() -> None:
    """Import what notebooks need; raise `DataMissing` if the extra ``notebooks`` is not installed.

    Called before any thread starts: matplotlib asks whether IPython is loaded, and half of it, being imported by another
    thread, stops a drawing.
    """
    try:
        import ipykernel
        import IPython
        import nbclient
        import nbconvert
    except ImportError as error:
        raise DataMissing(
            f"{error.name} is not installed; this study has notebooks: pip install 'eventstudy-finance[notebooks]'."
        ) from error
    del ipykernel, IPython, nbclient, nbconvert


def execute(
    path: Path,
    *,
    folder: Path | None = None,
    parameters: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    kernels: Kernels | None = None,
    style: Path | None = None,
    mark: str = "",
    embargo_until: str = "",
) -> str:
    """Run a notebook in its own folder and return the body of its HTML: no addresses, no times, no paths of this machine.

    Parameters are booleans, numbers, words and lists of these, set after the cell with the tag ``parameters``, or before the first
    cell if there is none; ``mark`` is drawn over each figure of this package until the moment ``embargo_until``.
    """
    require_notebook_tools()
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = _read(path)
    _inject(notebook, _variables(path, folder, parameters or {}))
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"c{place:03d}"
    given = {STYLE_VARIABLE: str(style.resolve()) if style else "", MARK_VARIABLE: mark, UNTIL_VARIABLE: embargo_until}
    try:
        asyncio.run(_run(notebook, path, progress, kernels or Kernels(), {k: v for k, v in given.items() if v}))
    except CellExecutionError as error:
        where = _failed_cell(notebook)
        raise NotebookFailed(
            f"The notebook {path.name} stopped{where}.\n{without_colour(_shortened(str(error)))}"
        ) from error
    except CellTimeoutError as error:
        raise NotebookFailed(f"The notebook {path.name}: a cell ran longer than {CELL_TIMEOUT} s.") from error
    except DeadKernelError as error:
        raise NotebookFailed(f"The notebook {path.name}: its kernel ended before its cells did.{error}") from error
    roots = [p for p in (path.parent, folder) if p is not None]
    return scrubbed(to_html(notebook, path.parent), roots)


def _read(path: Path) -> NotebookNode:
    import nbformat

    if not path.is_file():
        raise DataMissing(f"The notebook {path.name} is missing; the study file names it.")
    content = read_small(path, _MAX_BYTES, "clear the outputs that are stored in it")
    try:
        notebook: NotebookNode = nbformat.reads(content.decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
    except Exception as error:
        raise StudyFileError(
            f"{path.name} is no notebook that can be read ({type(error).__name__}: {error})."
        ) from error
    for place, cell in enumerate(notebook.cells, start=1):
        if len(cell.source) > TEXT_LIMIT:
            raise StudyFileError(
                f"{path.name}: cell {place} has {len(cell.source):,} characters, a page shows up to {TEXT_LIMIT:,}; put data into a file."
            )
        if cell.cell_type == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def _variables(path: Path, folder: Path | None, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the variables to set; the way to the study is relative, so that it is the same on every machine."""
    if folder is None:
        return dict(parameters)
    way = Path(os.path.relpath(folder.resolve(), path.parent.resolve())).as_posix()
    return {"STUDY": way, **parameters}


def _inject(notebook: NotebookNode, variables: Mapping[str, object]) -> None:
    """Set variables in a cell of their own: shown after the cell tagged ``parameters``, else hidden at the top."""
    import nbformat

    if not variables:
        return
    source = "\n".join(f"{name} = {value!r}" for name, value in variables.items())
    tagged = [i for i, c in enumerate(notebook.cells) if PARAMETERS_TAG in c.metadata.get("tags", [])]
    tags = [INJECTED_TAG] if tagged else [INJECTED_TAG, "hidden"]
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": tags})
    notebook.cells.insert(tagged[0] + 1 if tagged else 0, cell)


def _failed_cell(notebook: NotebookNode) -> str:
    """Return which cell failed: the last one that was run."""
    run = [i for i, c in enumerate(notebook.cells, start=1) if c.cell_type == "code" and c.get("outputs")]
    failed = [i for i in run if any(o.output_type == "error" for o in notebook.cells[i - 1].outputs)]
    return f" in cell {failed[-1]} of {len(notebook.cells)}" if failed else ""


async def _run(
    notebook: NotebookNode, path: Path, progress: Progress | None, kernels: Kernels, given: Mapping[str, str]
) -> None:
    """Execute a notebook in place, over files instead of a network port, and end its kernel."""
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError

    with staged(None, "eventstudy-kernel-") as folder:
        manager = _manager(folder)
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": str(path.parent)}},
            km=manager,
        )
        _report_cells(client, notebook, progress, kernels, manager)
        _hold_short(client)
        pid = -1
        try:
            # what a kernel's process says beside its cells belongs to no cell, nor into this command's own messages
            with open(folder / "said", "wb") as said:
                await client.async_execute(env={**_environment(folder), **given}, stdout=said, stderr=said)
        except DeadKernelError as error:
            raise DeadKernelError(_last_words(folder / "said")) from error
        finally:
            pid = _pid(manager)
            if client.kc is not None:
                client.kc.stop_channels()
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)
            kernels.remove(pid)


def _last_words(said: Path) -> str:
    """Return the end of what a kernel's process said, for a message."""
    with said.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _SAID_BYTES, 0))
        lines = file.read().decode("utf-8", errors="replace").splitlines()[-_SAID:]
    return "".join(f"\n{without_colour(line)}" for line in lines)


def _manager(folder: Path) -> AsyncKernelManager:
    """Return a manager of the Python that runs this build, whatever kernels the user has set up."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec
    from zmq import IPC_PATH_MAX_LEN

    beyond = len(os.fsencode(f"{folder}/kernel-1")) - IPC_PATH_MAX_LEN
    if beyond > 0:
        raise InvalidInput(
            f"The folder of temporary files, {folder.parent}, has too long a path for the sockets of a notebook's kernel, by {plural(beyond, 'byte')}. "
            f"Name a shorter one, such as TMPDIR=/tmp."
        )
    manager = AsyncKernelManager(
        kernel_name="python3", transport="ipc", connection_file=f"{folder}/kernel.json", ip=f"{folder}/kernel"
    )
    command = [sys.executable, "-Xfrozen_modules=off", "-c", _KERNEL.format(os.getpid()), "-f", "{connection_file}"]
    manager._kernel_spec = KernelSpec(argv=command, display_name="Python 3", language="python")
    return manager


def _pid(manager: AsyncKernelManager) -> int:
    return int(getattr(manager.provisioner, "pid", None) or -1)


def _report_cells(
    client: NotebookClient,
    notebook: NotebookNode,
    progress: Progress | None,
    kernels: Kernels,
    manager: AsyncKernelManager,
) -> None:
    """Report each cell before it runs, and enter the kernel as soon as there is one."""
    from nbclient.exceptions import DeadKernelError

    total = len(notebook.cells)

    def start(cell: NotebookNode, cell_index: int) -> None:
        del cell
        kernels.add(_pid(manager))
        if kernels.stopped:
            raise DeadKernelError("the build was stopped")
        if progress is not None:
            progress(f"cell {cell_index + 1} of {total}", cell_index, total)

    client.on_cell_start = start


def _hold_short(client: NotebookClient) -> None:
    """Shorten what a cell sends as it comes, so that a cell that sends much is not kept in memory."""
    whole = client.process_message
    allowances: defaultdict[int, Allowance] = defaultdict(Allowance)

    def process(msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        kind = msg["msg_type"]
        if kind == "clear_output":
            allowances.pop(cell_index, None)
        elif kind == "update_display_data":  # takes the place of what is counted
            Allowance().fit(msg["content"])
        elif kind in ("stream", "display_data", "execute_result", "error"):
            allowance = allowances[cell_index]
            allowance.fit(msg["content"])
            cell.metadata[LEFT_OUT] = (allowance.cut_text, allowance.cut_pictures)
        return whole(msg, cell, cell_index)

    client.process_message = process  # type: ignore[method-assign]


def _shortened(words: str) -> str:
    left = len(words) - 2 * _ERROR
    return words if left <= 0 else f"{words[:_ERROR]}\n… {left:,} characters left out …\n{words[-_ERROR:]}"


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of a kernel: the user's, without what would change an output."""
    (folder / "matplotlibrc").touch()
    fixed = {
        "PYTHONHASHSEED": "0",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        "IPYTHONDIR": str(folder / "ipython"),
        "OPENBLAS_NUM_THREADS": "1",
        "COLUMNS": "100",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    given = os.environ.get("PYTHONPATH", "")
    if given:  # a kernel runs in its notebook's folder, where a relative way leads elsewhere
        fixed["PYTHONPATH"] = os.pathsep.join(str(Path(p).resolve()) for p in given.split(os.pathsep) if p)
    return {**os.environ, **fixed}
