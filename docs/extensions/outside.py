"""Links that are right both on GitHub and in the site, to what lies outside of docs/ too.

A page in docs/ may include a Markdown file from elsewhere: its links, relative to where it lies,
are made relative to the page, and links to it lead to the page. A link to any other file of the
repository leads to the repository's address; where that is unknown, MyST copies the file into the
site.
"""

import os
import pathlib
import re

# The target of [text](target), ![text](target) and src="target".
LINK = re.compile(r'(\]\(|\bsrc=")([^)"#\s]+)')
INCLUDE = re.compile(r"^```\{include\} (\S+)$", re.MULTILINE)
PICTURES = (".png", ".svg")


def setup(app):
    app.add_config_value("repository", None, "env")
    app.connect("builder-inited", _find_included)
    app.connect("source-read", _rewrite_page)
    app.connect("include-read", _rewrite_included)
    return {"parallel_read_safe": True}


def _find_included(app):
    """File that a page includes -> the page."""
    app.pages_of_files = {
        (page.parent / name).resolve(): page
        for page in pathlib.Path(app.srcdir).glob("*.md")
        for name in INCLUDE.findall(page.read_text(encoding="utf-8"))
    }


def _rewrite_page(app, name, content):
    folder = pathlib.Path(app.srcdir, name).parent
    content[0] = _rewritten(app, content[0], folder, folder)


def _rewrite_included(app, path, _page, content):
    page = app.pages_of_files[(app.srcdir / path).resolve()]
    content[0] = _rewritten(app, content[0], (app.srcdir / path).parent, page.parent)


def _rewritten(app, text, folder, here):
    root = pathlib.Path(app.srcdir).parent

    def rewritten(match):
        target = (folder / match[2]).resolve()
        if not target.exists():
            return match[0]  # an address, or a mistake, which Sphinx reports
        is_ours = target.suffix in PICTURES or target.is_relative_to(app.srcdir)
        if target in app.pages_of_files:
            target = app.pages_of_files[target]
        elif app.config.repository and not is_ours:
            return f"{match[1]}{app.config.repository}/{target.relative_to(root).as_posix()}"
        return match[1] + os.path.relpath(target, here)

    return LINK.sub(rewritten, text)
