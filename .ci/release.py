"""Readies a checkout for the release of a tag.

    python .ci/release.py v0.1.0 https://github.com/OWNER/NAME notes.md

Checks that the version, CITATION.cff and CHANGELOG.md agree with the tag, writes the changelog's
section to a file, and gives README.md full addresses: PyPI shows it without its repository.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PICTURES = (".png", ".svg")


def package_version():
    """The version in tfflow/__init__.py, read without importing anything."""
    source = (ROOT / "tfflow" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)[1]


def cited_version():
    """The version in CITATION.cff."""
    source = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    return re.search(r"^version: (.+)$", source, re.MULTILINE)[1]


def changelog_section(version):
    """(Date or what stands for it, text) of a version in CHANGELOG.md.

    Raises:
        ValueError: If it has no section.
    """
    source = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    pattern = rf"^## \[{re.escape(version)}\] - ([^\n]+)\n(.*?)(?=^## |\Z)"
    found = re.search(pattern, source, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"CHANGELOG.md has no section '## [{version}] - DATE'; add one.")
    return found[1], found[2].strip() + "\n"


def check(tag):
    """Raises ValueError unless everything that names a version names the tag's."""
    expected = tag.removeprefix("v")
    versions = {"tfflow/__init__.py": package_version(), "CITATION.cff": cited_version()}
    for name, version in versions.items():
        if version != expected:
            raise ValueError(f"{name} says {version}, the tag says {expected}: make them one.")
    date, _ = changelog_section(expected)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise ValueError(f"CHANGELOG.md says {date!r} of {expected}; write the day: YYYY-MM-DD.")


def with_addresses(page, repository, tag):
    """A page of the repository's root with full addresses in place of relative ones."""

    def full(found):
        target = found[1]
        if "://" in target or target.startswith("#"):
            return found[0]
        kind = "raw" if target.endswith(PICTURES) else "blob"
        return f"]({repository}/{kind}/{tag}/{target})"

    return re.sub(r"\]\(([^)]+)\)", full, page).replace("<this repository>", repository)


def main(tag, repository, notes):
    check(tag)
    _, text = changelog_section(package_version())
    pathlib.Path(notes).write_text(text, encoding="utf-8")
    readme = ROOT / "README.md"
    page = with_addresses(readme.read_text(encoding="utf-8"), repository, tag)
    readme.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ValueError as error:
        sys.exit(f"release: {error}")
