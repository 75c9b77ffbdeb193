"""A sheet as one page that asks for nothing: pictures and style are inside it."""

from __future__ import annotations

from base64 import b64encode
from html import escape

import cv2
import numpy as np

from deepir.contact_sheet.blocks import Block
from deepir.contact_sheet.cards import CARD_W, Card, noco_colours
from deepir.contact_sheet.sheet import LEGEND, Sheet
from deepir.overlay import Picture

NARROWEST = CARD_W - 22
"""Pixels to which a card may shrink, so that three fill a window of 1,440 pixels too."""

_STYLE = f"""
body {{ margin: 28px auto; max-width: 1404px; padding: 0 28px; background: #141618; color: #ebebeb;
  font: 14px/1.45 system-ui, sans-serif; }}
h1 {{ font-size: 24px; font-weight: 600; margin: 0; }}
.faint, th, figcaption span {{ color: #9b9ea0; }}
p {{ margin: 4px 0 0; }}
.blocks {{ display: flex; flex-wrap: wrap; gap: 20px 30px; margin: 24px 0 12px; }}
table {{ border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums;
  flex: 1 1 auto; align-self: flex-start; }}
caption {{ text-align: left; color: #ffc83c; padding: 0 4px 4px; }}
th {{ font-weight: 400; border-bottom: 1px solid #3e4246; }}
tbody tr {{ border-bottom: 3px solid #141618; }}
th, td {{ text-align: right; padding: 2px 4px 2px 14px; }}
th:first-child, td:first-child {{ text-align: left; padding-left: 4px; }}
.cards {{ display: grid; gap: 24px; margin-top: 20px;
  grid-template-columns: repeat(auto-fill, minmax(min({NARROWEST}px, 100%), 1fr)); }}
figure {{ margin: 0; }}
img {{ display: block; max-width: 100%; height: auto; }}
@media (min-resolution: 1.5dppx) {{ img {{ image-rendering: pixelated; }} }}
figcaption {{ margin-top: 6px; overflow-wrap: anywhere; }}
figcaption span {{ display: block; font-size: 13px; }}
.legend img {{ display: inline; vertical-align: middle; margin: 0 4px; }}
"""


def render_html(sheet: Sheet) -> str:
    """Text of an HTML file; its policy forbids a browser to load anything from elsewhere."""
    title = escape(sheet.title)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    colours = noco_colours(np.linspace(0, 1, 80)[None].repeat(10, axis=0))
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width">',
            f'<link rel="icon" href="data:,"><title>{title}</title>',
            f"<style>{_STYLE}</style></head><body>",
            f'<h1>{title}</h1><p class="faint">{escape(sheet.summary)}</p>',
            '<div class="blocks">',
            *map(_block, sheet.blocks),
            f'</div><p class="legend faint">{escape(LEGEND)} 0{_image(colours, "")}1</p>',
            '<div class="cards">',
            *map(_card, sheet.cards),
            "</div></body></html>",
            "",
        )
    )


def _block(block: Block) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in block.heads)
    rows = [
        f"<tr{_bar(block, number)}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for number, cells in enumerate(block.rows)
    ]
    return (
        f"<table><caption>{escape(block.title)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _bar(block: Block, number: int) -> str:
    if not block.shares:
        return ""
    length = f"{100 * block.shares[number]:.1f}%"
    return f' style="background: linear-gradient(90deg, #284860 {length}, transparent {length})"'


def _card(card: Card) -> str:
    return (
        f"<figure>{_image(card.picture, f'{card.id}: {card.line}')}"
        f"<figcaption>{escape(card.id)}<span>{escape(card.line)}</span></figcaption></figure>"
    )


def _image(picture: Picture, description: str) -> str:
    encoded = b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()
    height, width = picture.shape[:2]
    return (
        f'<img src="data:image/png;base64,{encoded}" width="{width}" height="{height}"'
        f' alt="{escape(description)}">'
    )
