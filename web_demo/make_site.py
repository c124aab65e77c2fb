"""Writes the page with all that it loads into one folder, ready for any static host.

    python web_demo/make_site.py                 # into web_demo/site
    python web_demo/make_site.py -o FOLDER

The page is web_demo/page. The network and its golden pair are the phone's, in android_demo, where
export/fill_demo.py puts them; LiteRT.js is npm's package, of the version that package.json says.
Needs no package of Python's.
"""

import argparse
import hashlib
import json
import pathlib
import shutil
import sys
import tempfile

DEMO = pathlib.Path(__file__).resolve().parent
ASSETS = DEMO.parent / "android_demo" / "app" / "src" / "main" / "assets"
LICENSE = DEMO.parent / "LICENSE"  # Apache-2.0: ours, and LiteRT.js's, whose package has no copy
SITE = DEMO / "site"

CORE = DEMO / "node_modules" / "@litertjs" / "core"
UTILS = DEMO / "node_modules" / "@litertjs" / "wasm-utils"
# The one import by a package's name in LiteRT.js; in workers, browsers know no such names.
PACKAGE_IMPORT, FILE_IMPORT = '"@litertjs/wasm-utils"', '"./wasm_utils.js"'
# For browsers with threads, without, without relaxed SIMD, and for those that can wait for a GPU.
RUNTIMES = tuple(f"litert_wasm_{build}internal" for build in ("threaded_", "", "compat_", "jspi_"))


class SiteError(Exception):
    """Something is missing or not as it should be; the message says what to do."""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=pathlib.Path, default=SITE, help="the folder")
    folder = parser.parse_args().output
    try:
        make_site(folder)
    except SiteError as error:
        sys.exit(f"make_site: {error}")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB; a browser loads about 12 MB of it, 5 MB compressed")


def make_site(folder=SITE):
    """Writes the site.

    Args:
        folder: Made if it is missing. One that is there must be empty or an earlier site, which is
            replaced once the new one is complete. Names that begin with a dot, as .git, and CNAME
            stay.

    Returns:
        The folder.

    Raises:
        SiteError: If LiteRT.js is not installed or another version, if the network is not the one
            that models.json says, or if the folder holds something else.
    """
    folder = pathlib.Path(folder).resolve()
    if folder.exists() and not folder.is_dir():
        raise SiteError(f"{folder} is a file. Give a new or an empty folder.")
    if folder.is_dir() and any(folder.iterdir()):
        # Together they are in no other folder, neither another site nor the page's sources.
        ours = ("service_worker.js", "models/models.json", "litert/core.js")
        if not all((folder / name).is_file() for name in ours):
            raise SiteError(f"{folder} holds other files. Give a new or an empty folder.")
    files = {**model_files(), **runtime_files()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        site = pathlib.Path(beside) / "site"
        shutil.copytree(DEMO / "page", site)
        shutil.copy(LICENSE, site)
        for name, content in files.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_bytes(content)
        folder.mkdir(exist_ok=True)
        new = [path.name for path in site.iterdir()]
        for old in folder.iterdir():
            if old.name not in new and (old.name.startswith(".") or old.name == "CNAME"):
                continue
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old)
            else:
                old.unlink()
        for name in new:
            (site / name).rename(folder / name)
    return folder


def model_files():
    """Name in the site -> content: the networks, checked against their hashes, and golden pair."""
    listing = json.loads((ASSETS / "models.json").read_text())
    names = ["models.json", *(listing["golden"][key] for key in ("image1", "image2", "truth"))]
    for file in (file for model in listing["models"] for file in model["files"]):
        names += [file["file"], file["golden_flow"]]
        found = hashlib.sha256((ASSETS / file["file"]).read_bytes()).hexdigest()
        if found != file["sha256"]:
            raise SiteError(
                f"{ASSETS / file['file']} is not the file of models.json: SHA-256 {found}, "
                f"expected {file['sha256']}. Run: python export/fill_demo.py"
            )
    return {f"models/{name}": (ASSETS / name).read_bytes() for name in names}


def runtime_files():
    """Name in the site -> content: LiteRT.js."""
    wanted = json.loads((DEMO / "package.json").read_text())["dependencies"]["@litertjs/core"]
    try:
        found = json.loads((CORE / "package.json").read_text())["version"]
    except FileNotFoundError:
        found = "nothing"
    if found != wanted:
        raise SiteError(
            f"expected LiteRT.js {wanted} in {CORE}, found {found}. "
            f"Run: {DEMO / 'install.sh'} --page"
        )
    core = (CORE / "dist" / "index.js").read_text()
    if core.count(PACKAGE_IMPORT) != 1:
        raise SiteError(
            f"expected one import of {PACKAGE_IMPORT} in {CORE / 'dist' / 'index.js'}, found "
            f"{core.count(PACKAGE_IMPORT)}. This version of LiteRT.js needs a new look."
        )
    files = {
        "litert/core.js": core.replace(PACKAGE_IMPORT, FILE_IMPORT).encode(),
        "litert/wasm_utils.js": (UTILS / "dist" / "index.js").read_bytes(),
    }
    for name in (f"{stem}{end}" for stem in RUNTIMES for end in (".js", ".wasm")):
        files[f"litert/wasm/{name}"] = (CORE / "wasm" / name).read_bytes()
    return files


if __name__ == "__main__":
    main()
