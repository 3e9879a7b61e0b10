"""Several files written as one: all new, or all as they were."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from eventstudy.files import write_whole


def write_together(folder: Path, contents: Mapping[str, bytes | str]) -> list[Path]:
    """Write files into a folder so that a failure leaves none of them changed.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    contents : mapping of str to bytes or str
        By file name, in the order in which they are put in place.

    Returns
    -------
    list of Path
        The files.

    Notes
    -----
    All are written and flushed in a hidden folder beside their places and then renamed one by one; if a rename fails,
    those done are taken back. A process killed between two renames leaves whole files, of which some are new: the
    last file named should tell, by digests, which belong together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(dir=folder, prefix=".bundle-"))
    try:
        for name, content in contents.items():
            write_whole(stage / "new" / name, content)
        _switch(folder, stage, list(contents))
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [folder / name for name in contents]


def _switch(folder: Path, stage: Path, names: list[str]) -> None:
    """Rename the new files into place, keeping copies of the old ones until all are there."""
    old = stage / "old"
    old.mkdir()
    done: list[str] = []
    try:
        for name in names:
            if (folder / name).exists():
                shutil.copy2(folder / name, old / name)
            done.append(name)
            os.replace(stage / "new" / name, folder / name)
    except BaseException:
        for name in done:
            if (old / name).exists():
                os.replace(old / name, folder / name)
            elif not (stage / "new" / name).exists():
                (folder / name).unlink(missing_ok=True)
        raise
