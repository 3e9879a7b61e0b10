"""Files that a study file names: they stay in the study's folder, links followed."""

from __future__ import annotations

from pathlib import Path

#: Notebooks shared by several studies lie here, seen from a study's folder.
SHARED_NOTEBOOKS = Path("../../notebooks")


def check_inside(folder: Path, key: str, name: str) -> None:
    """Refuse a path that leads out of a study's folder, by its parts or through a link.

    A study may come from anybody; building it must not read a file of the reader's into a page.

    Parameters
    ----------
    folder : Path
        The study's folder.
    key : str
        The key of the study file, for the message.
    name : str
        The path as written there; ``notebooks`` may also name a file in ``notebooks/`` beside ``reports/``.

    Raises
    ------
    ValueError
        If the path is absolute or its target lies elsewhere.
    """
    rooms = [folder.resolve()]
    if key == "notebooks":
        rooms.append((folder / SHARED_NOTEBOOKS).resolve())
    try:
        target = (folder / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a loop of links, a NUL character
        raise ValueError(
            f"{key}: {name!r} is no path of a file ({error}); give a file in the study's folder"
        ) from error
    if Path(name).is_absolute() or not any(target.is_relative_to(room) for room in rooms):
        also = ", or in notebooks/ beside reports/" if key == "notebooks" else ""
        raise ValueError(f"{key}: {name!r} leaves the study's folder; put a copy of the file inside it{also}")
