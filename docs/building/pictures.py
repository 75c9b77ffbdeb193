"""The directive ``picture``: a module of `docs/pictures` draws when the manual is built.

    :::{picture} half_pixel
    The caption.
    :::

The module's ``draw()`` returns drawings and tables; they stand side by side where there is room,
below each other on a telephone. A page with pictures is read anew at every build.
"""

from __future__ import annotations

from importlib import import_module

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata


class PictureDirective(SphinxDirective):
    """Draw the picture that the argument names, with the content as its caption."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Nodes of the picture."""
        self.env.note_reread()
        drawn = import_module(f"pictures.{self.arguments[0]}").draw()
        parts = "".join(part.html() for part in drawn)
        figure = nodes.container(classes=["picture"])
        figure += nodes.raw("", f'<div class="panels">{parts}</div>', format="html")
        caption = nodes.container(classes=["caption"])
        caption += self.parse_content_to_nodes()
        figure += caption
        return [figure]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.add_directive("picture", PictureDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
