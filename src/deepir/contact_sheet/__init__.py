"""A dataset on one page: its figures, and frames from the faintest target to the brightest."""

from deepir.contact_sheet.html import render_html
from deepir.contact_sheet.png import draw_png
from deepir.contact_sheet.sheet import Sheet, make_sheet

__all__ = ["Sheet", "draw_png", "make_sheet", "render_html"]
