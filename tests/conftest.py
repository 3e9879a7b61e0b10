"""What all rooms share: the study of three firms, and which files need data that are no part of this project."""

from __future__ import annotations

from golden import EXAMPLES

#: Example data of other packages are under the GPL: their tests exist where the data lie beside the checkout.
collect_ignore = [] if EXAMPLES.is_dir() else ["inference/test_other_packages.py"]
