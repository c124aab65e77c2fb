"""Downloads files: complete or not at all, going on after an interruption, one process at a time.

Beside a file ``x.pth`` lies ``x.pth.json``, which says where it came from and what its SHA-256 was.
It stays when the file is removed, so that another file at the same address is noticed. A file that
is incomplete is called ``x.part.pth``.
"""

import contextlib
import datetime
import errno
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request

import filelock

from tfflow.atomic_file import write_json
from tfflow.checksum import sha256_of
from tfflow.progress import progress_bar

BLOCK = 1 << 20
SECONDS = 30.0  # without a byte
ATTEMPTS = 3
MIRROR = "TFFLOW_MIRROR"
BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def fetch(url, path, *, check=None, again=False):
    """Downloads a file, if it is not there yet.

    A connection that breaks is taken up where it ended, in this call or the next one. Proxies are
    taken from the environment (``HTTPS_PROXY``); ``TFFLOW_MIRROR``, if it is set, takes the place
    of scheme and host.

    Args:
        url: http or https. A name that ends in ``-HASH.ext``, with 8 or more digits of the SHA-256,
            not all of them decimal, is checked against them.
        path: Where the file shall be; its folder is created.
        check: Called with the complete file, which has another name of the same extension still;
            raises ValueError if it is not what was expected.
        again: Download it anew, and accept another content than the first time.

    Returns:
        ``path``, as a :class:`pathlib.Path`.

    Raises:
        ConnectionError: If it can't be fetched.
        ValueError: If the file is damaged, or another one than expected or than the first time.
        OSError: If it can't be written, e.g. for want of space.
    """
    if path.is_file() and not again:
        return _as_recorded(path, url, check)
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{path}.lock"):
        if path.is_file() and not again:  # another process was faster
            return _as_recorded(path, url, check)
        part = path.with_name(f"{path.stem}.part{path.suffix}")
        _download(_mirrored(url), part, path)
        try:
            digest = _checked(part, url, path, check, again)
        except ValueError:
            _forget(part)
            raise
        _record(path, url, digest, part.stat().st_size)
        os.replace(part, path)
        _forget(part)
    return path


def record_of(path):
    """What is known of a downloaded file, a dict with url, sha256, bytes, date; else None."""
    try:
        record = json.loads(_beside(path, ".json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return record if isinstance(record, dict) and "sha256" in record else None


def _as_recorded(path, url, check):
    """The path, if the file there is the one that was downloaded, or was put there by hand."""
    record = record_of(path)
    if record is None:
        digest = _checked(path, url, path, check, again=False)
        with contextlib.suppress(OSError):  # others may have put it there, for us to read only
            _record(path, url, digest, path.stat().st_size)
    elif sha256_of(path) != record["sha256"]:
        raise ValueError(
            f"{path} is not the file that was downloaded: its SHA-256 is another. Delete it, and "
            "it is downloaded again."
        )
    return path


def _record(path, url, digest, size):
    record = {
        "url": url,
        "sha256": digest,
        "bytes": size,
        "date": datetime.date.today().isoformat(),
    }
    write_json(_beside(path, ".json"), record)


def _checked(part, url, path, check, again):
    """The SHA-256 of a complete file, if it is the expected one."""
    digest = sha256_of(part)
    name = urllib.parse.urlsplit(url).path
    known = re.search(r"-(?=\d*[a-f])([0-9a-f]{8,64})\.\w+$", name)  # digits alone are a date
    if known and not digest.startswith(known[1]):
        raise ValueError(
            f"{url} is damaged or another file: its SHA-256 begins with {known[1]} by its name; "
            f"got {digest}. Nothing was kept. Try again, or another network."
        )
    if check is not None:
        check(part)
    earlier = record_of(path)
    if earlier and earlier["sha256"] != digest and not again:
        raise ValueError(
            f"{url} is another file than on {earlier['date']}: its SHA-256 was "
            f"{earlier['sha256']}, now it is {digest}. If that is right, delete "
            f"{_beside(path, '.json')} and try again."
        )
    return digest


def _download(url, part, path):
    for attempt in range(ATTEMPTS):
        try:
            _go_on(url, part, path.name)
            return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 or attempt == ATTEMPTS - 1:
                raise ConnectionError(
                    _unreachable(url, f"{error.code} {error.reason}", part, path)
                ) from None
        except BROKEN as error:
            if attempt == ATTEMPTS - 1:
                reason = getattr(error, "reason", None) or error or type(error).__name__
                raise ConnectionError(_unreachable(url, reason, part, path)) from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                _forget(part)
            raise
        time.sleep(2**attempt / 4)


def _unreachable(url, reason, part, path):
    kept = (
        " The part that arrived is kept, and the next try continues there."
        if part.is_file()
        else ""
    )
    return (
        f"{url} can't be fetched: {reason}.{kept} "
        f"Behind a proxy, set HTTPS_PROXY; a copy of the server's files can be named in {MIRROR}. "
        f"Or put the file there yourself: {path}"
    )


def _go_on(url, part, name):
    """Appends to the part what it lacks; raises if the connection ends before the file does."""
    tag_file = _beside(part, ".tag")
    headers = {"User-Agent": "tfflow", "Accept-Encoding": "identity"}
    start = part.stat().st_size if part.is_file() else 0
    tag = tag_file.read_text(encoding="utf-8") if tag_file.is_file() else ""
    if start and tag:
        # If-Range: the rest, if the file is still the same; else all of it.
        headers |= {"Range": f"bytes={start}-", "If-Range": tag}
    try:
        # Not urlopen, which would keep the proxies of the first call.
        request = urllib.request.Request(url, headers=headers)
        response = urllib.request.build_opener().open(request, timeout=SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416 or "Range" not in headers:
            raise
        error.close()
        _forget(part)  # it is no beginning of the file
        return _go_on(url, part, name)
    with response:
        resumed = response.status == 206
        start = start if resumed else 0
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        etag = response.headers.get("ETag", "")
        tag = (not etag.startswith("W/") and etag) or response.headers.get("Last-Modified", "")
        mode = "ab" if resumed else "wb"
        with open(part, mode) as file, progress_bar(f"{name}, MB") as update:
            tag_file.write_text(tag, encoding="utf-8")
            while block := response.read(BLOCK):
                file.write(block)
                start += len(block)
                update(start >> 20, None if total is None else total >> 20)
    if total is not None and start != total:
        raise ConnectionError(f"the connection ended after {start:,} of {total:,} bytes")


def _mirrored(url):
    mirror = os.environ.get(MIRROR)
    if not mirror:
        return url
    if not mirror.startswith(("http://", "https://")):
        raise ValueError(f"{MIRROR} must begin with http:// or https://; got {mirror!r}.")
    parts = urllib.parse.urlsplit(url)
    return mirror.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")


def _beside(path, suffix):
    return path.with_name(path.name + suffix)


def _forget(part):
    part.unlink(missing_ok=True)
    _beside(part, ".tag").unlink(missing_ok=True)
