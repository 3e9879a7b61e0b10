"""Run a notebook and write it as HTML, the same bytes every time."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from eventstudy.errors import DataMissing, EventStudyError

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: Longest time for one cell, in seconds.
CELL_TIMEOUT = 300

_TEMPLATE = """
{%- extends 'basic/index.html.j2' -%}
{% block input_group %}<details class="code"><summary>Code</summary>{{ super() }}</details>{% endblock %}
{% block in_prompt %}{% endblock %}
{% block output_prompt %}{% endblock %}
{% block empty_in_prompt %}{% endblock %}
"""


class NotebookFailed(EventStudyError, RuntimeError):
    """A cell of a notebook raised an error; the message holds the cell and the error."""

    EXIT_CODE = 3


def require_notebook_tools() -> None:
    """Raise `DataMissing` if the extra ``notebooks`` is not installed."""
    try:
        import ipykernel
        import nbclient
        import nbconvert
    except ImportError as error:
        raise DataMissing(
            f"{error.name} is not installed; this study has notebooks: pip install 'eventstudy-finance[notebooks]'."
        ) from error
    del ipykernel, nbclient, nbconvert


def execute(path: Path) -> str:
    """Run a notebook in its own folder and return the body of its HTML.

    Parameters
    ----------
    path : Path
        An ``.ipynb`` file; it is not changed.

    Returns
    -------
    str
        HTML without head: code folded away, outputs shown; no addresses, no times.

    Raises
    ------
    NotebookFailed
        If a cell fails; names the notebook and shows the cell and its error.
    DataMissing
        If the file or the tools are missing.
    """
    require_notebook_tools()
    if not path.is_file():
        raise DataMissing(f"The notebook {path.name} is missing; the study file names it.")
    import nbformat
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    notebook = nbformat.read(path, as_version=4)
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"c{place:03d}"
    try:
        asyncio.run(_run(notebook, path))
    except CellExecutionError as error:
        raise NotebookFailed(f"The notebook {path.name} stopped.\n{_without_colour(str(error))}") from error
    except CellTimeoutError as error:
        raise NotebookFailed(f"The notebook {path.name}: a cell ran longer than {CELL_TIMEOUT} s.") from error
    return _scrub(_to_html(notebook))


async def _run(notebook: NotebookNode, path: Path) -> None:
    """Execute a notebook in place, over files instead of a network port, and end its kernel."""
    from jupyter_client import AsyncKernelManager
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory(prefix="eventstudy-kernel-") as folder:
        manager = AsyncKernelManager(
            kernel_name="python3",
            transport="ipc",
            connection_file=f"{folder}/kernel.json",
            ip=f"{folder}/kernel",
        )
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            record_timing=False,
            resources={"metadata": {"path": str(path.parent)}},
            km=manager,
        )
        try:
            await client.async_execute(env=_environment())
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)


def _environment() -> dict[str, str]:
    fixed = {"PYTHONHASHSEED": "0", "TZ": "UTC", "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "100"}
    return {**os.environ, **fixed, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def _to_html(notebook: NotebookNode) -> str:
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        template_file="folded.html.j2",
        extra_loaders=[DictLoader({"folded.html.j2": _TEMPLATE})],
    )
    exporter.mathjax_url = exporter.require_js_url = exporter.jquery_url = ""
    exporter.embed_images = True
    body, _ = exporter.from_notebook_node(notebook)
    return str(body)


def _scrub(text: str) -> str:
    """Take out what changes from run to run: memory addresses and the kernel's temporary file names."""
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
    return re.sub(r"/tmp/ipykernel_\d+/\d+\.py", "cell", text)  # noqa: S108 - a pattern, not a path used


def _without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
