"""What the pages of a built manual load, link to and name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlsplit

LOADING = {"src", "srcset", "poster", "data", "background", "href", "xlink:href", "action"}
"""Attributes whose address a browser asks for by itself."""

LINKING = {"a", "area", "form"}
"""Elements whose ``href`` and ``action`` wait for a click."""

STAYING = {"author", "index", "search", "next", "prev", "license", "canonical"}
"""Kinds of <link> that nothing is fetched for."""


@dataclass
class Page(HTMLParser):
    """One page: addresses that it loads, addresses that it links to, its anchors."""

    text: str
    loads: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.loads += addresses_of_styles(given.get("style", ""))
        for name in LOADING & given.keys():
            if tag in LINKING and name in ("href", "action"):
                self.links.append(given[name])
            elif tag != "link" or not STAYING & set(given.get("rel", "").split()):
                self.loads += given[name].split() if name == "srcset" else [given[name]]

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        if self.lasttag == "style":
            self.loads += addresses_of_styles(data)


def addresses_of_styles(text):
    """What a style sheet asks for."""
    imported = re.findall(r"@import\s+[\"']([^\"']+)", text)
    return imported + re.findall(r"url\(\s*[\"']?([^\"')]+)", text)


def elsewhere(address):
    """Whether an address is on another host."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ftp", "ws", "wss")


def pages_of(folder):
    """All pages of a built manual by their path."""
    return {path: Page(path.read_text("utf-8")) for path in sorted(folder.rglob("*.html"))}


def targets(path, page) -> Iterator[tuple[str, object, str]]:
    """Links of a page that stay in the manual: as written, the file, and the place in it."""
    for link in page.links:
        if not urlsplit(link).scheme and not elsewhere(link):
            file, anchor = urldefrag(link)
            yield link, (path.parent / unquote(file)).resolve() if file else path, unquote(anchor)
