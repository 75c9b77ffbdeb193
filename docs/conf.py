"""How the manual is built: ``make docs``, or ``python -m sphinx -W docs build/manual``.

Nothing that a page loads comes from another host; a test parses the built pages for that.
"""

from __future__ import annotations

import sys
from pathlib import Path

from deepir import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "DeepInfrared"
author = "The DeepInfrared maintainers"
project_copyright = "the DeepInfrared maintainers, Apache-2.0"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "building.docstrings",
    "building.pictures",
    "building.pages",
]
INCLUDED = ("generated/detectors.md", "generated/filters")  # parts of other pages
exclude_patterns = ["_static", "building", "pictures", *INCLUDED]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
highlight_language = "text"  # what is indented is mostly a command line or a tree of files

default_role = "py:obj"  # `name` in a docstring: a link where the manual documents it, else code
napoleon_numpy_docstring = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
toc_object_entries = False

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["manual.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
