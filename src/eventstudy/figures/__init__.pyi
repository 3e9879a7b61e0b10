from .bundle import save_bundle
from .comparison import several_tests
from .distribution import estimation_days, universe
from .events import event_day, ranking
from .formats import alt_text, csv_text, pdf_bytes, png_bytes, save, svg_bytes
from .house_style import HouseStyle, use_style
from .market_value import dollars
from .paths import car_paths
from .scatter import market_scatter
from .style import SIZES
from .words import FigureText

__all__ = [
    "SIZES",
    "FigureText",
    "HouseStyle",
    "alt_text",
    "car_paths",
    "csv_text",
    "dollars",
    "estimation_days",
    "event_day",
    "market_scatter",
    "pdf_bytes",
    "png_bytes",
    "ranking",
    "save",
    "save_bundle",
    "several_tests",
    "svg_bytes",
    "universe",
    "use_style",
]
