"""A notebook's HTML made fit for keyboards and screen readers: headings in order, tables and outputs with names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def accessible(body: str, title: str) -> str:
    """Return a notebook's body with what its readers need and notebooks leave out.

    Parameters
    ----------
    body : str
        HTML of an executed notebook.
    title : str
        The page's heading if the notebook has none.

    Returns
    -------
    str
        The same text: one ``h1``, no heading level left out, every table with a name and scopes, everything that
        scrolls in reach of the keyboard.

    Notes
    -----
    Tables are named after the heading that they stand under, and counted if there is more than one.

    Examples
    --------
    >>> accessible("<p>So.</p><h4>Beta</h4>", "Study").splitlines()
    ['<h1>Study</h1>', '<p>So.</p><h2>Beta</h2>']
    """
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(body, "html.parser")
    for link in soup.select("a.anchor-link"):
        link.decompose()
    _order_headings(soup, title)
    names: dict[str, int] = {}
    for table in soup.find_all("table"):
        _name_table(soup, table, names, title)
    for block in soup.find_all("pre"):
        code = block.find_parent("details") is not None
        block.attrs.update(
            {"tabindex": "0", "role": "group", "aria-label": _place("Code" if code else "Output", names)}
        )
    _number_code(soup)
    return str(soup)


def _order_headings(soup: BeautifulSoup, title: str) -> None:
    """Keep the first ``h1``, or add one; no later heading may be an ``h1`` or skip a level."""
    first = soup.find(list(_HEADINGS))
    if first is None or first.name != "h1":
        heading = soup.new_tag("h1")
        heading.string = title
        soup.insert(0, heading)
        soup.insert(1, "\n")
    level = 0
    for heading in soup.find_all(list(_HEADINGS)):
        wanted = int(heading.name[1])
        level = 1 if level == 0 else min(max(wanted, 2), level + 1)
        heading.name = f"h{level}"


def _name_table(soup: BeautifulSoup, table: Tag, names: dict[str, int], title: str) -> None:
    """Give a table a name, scopes and a region that scrolls; pandas' empty header cells become plain cells."""
    heading = table.find_previous(list(_HEADINGS))
    under = heading.get_text(" ", strip=True) if heading is not None else title
    caption = table.find("caption")
    label = _place(caption.get_text(" ", strip=True) if caption is not None else f"Table: {under}", names)
    table.attrs.pop("border", None)
    for cell in table.find_all("th"):
        if not cell.get_text(strip=True):
            cell.name = "td"
        elif "scope" not in cell.attrs:
            cell["scope"] = "col" if cell.find_parent("thead") is not None else "row"
    table["aria-label"] = label
    region = soup.new_tag("div", attrs={"aria-label": label, "class": "scroll", "role": "region", "tabindex": "0"})
    table.wrap(region)


def _place(name: str, names: dict[str, int]) -> str:
    names[name] = names.get(name, 0) + 1
    return name if names[name] == 1 else f"{name} ({names[name]})"


def _number_code(soup: BeautifulSoup) -> None:
    """Say in each fold which cell's code it holds, so that no two of them read the same."""
    for place, summary in enumerate(soup.select("details.code > summary"), start=1):
        summary.string = f"Code of cell {place}"
