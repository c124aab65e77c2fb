"""The documentation site: ``make docs`` builds it from the pages here and from the docstrings."""

import os
import pathlib
import sys

from tfflow.startup import start_backend_quietly

start_backend_quietly()

import tfflow

sys.path.insert(0, str(pathlib.Path(__file__).parent / "extensions"))

project = "tfflow"
author = "The tfflow authors"
release = tfflow.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    # In extensions/:
    "mathml",
    "outside",
    "reference",
    "tables",
]
exclude_patterns = ["extensions"]

html_theme = "furo"
html_title = "tfflow"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False

# Formulas are MathML, which browsers draw by themselves: no script, no network.
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 3

# The repository's address is known where GitHub builds the site. Elsewhere files outside of docs/
# that a page links to are copied into the site.
repository = (
    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/blob/{GITHUB_SHA}".format_map(os.environ)
    if "GITHUB_REPOSITORY" in os.environ
    else None
)

# `single` backticks in docstrings are code, as in Markdown.
default_role = "code"
autodoc_inherit_docstrings = False  # Keras's are Markdown, and long
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
# "Returns:" is prose here; what stands before a colon is no type.
napoleon_use_rtype = False

# Of other projects; names for types that have no page; and exceptions, all of them Python's own.
nitpick_ignore_regex = [
    (r"py:class", r"(numpy|keras|tensorflow|tf|collections|pathlib|os|settings)\..*"),
    (r"py:class", r"tfflow\.types\..*"),
    (r"py:class", r"(tfflow\..*\.)?(Array|PathLike|Predictor|Pairs|Clips|StateDict|WorkerShare)"),
    (r"py:class", r"tfflow\..*\.(T|S|MakeStage|_Shifts|FrameByFrame|SiameseNetwork)"),
    (r"py:exc", r"(tf\.errors\.)?[A-Z]\w+Error"),
]
