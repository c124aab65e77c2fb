import errno
import hashlib
import multiprocessing
import os
import pathlib

import pytest
from file_server import serving

from tfflow import download
from tfflow.download import fetch, record_of

CONTENT = os.urandom(3_000_000)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    monkeypatch.delenv(download.MIRROR, raising=False)
    with serving() as running:
        running.files["/x.bin"] = CONTENT
        yield running


def left(folder):
    """Names of all files in a folder but locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_file_is_downloaded_once_and_recorded(server, tmp_path):
    path = tmp_path / "new" / "x.bin"
    for _ in range(2):
        assert fetch(f"{server.address}/x.bin", path).read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert left(path.parent) == ["x.bin", "x.bin.json"]
    record = record_of(path)
    assert record["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert record["bytes"] == len(CONTENT) and record["url"].endswith("/x.bin")
    fetch(f"{server.address}/x.bin", path, again=True)
    assert len(server.requests) == 2


def test_a_broken_connection_is_taken_up(server, tmp_path):
    server.breaks_after = [1_000_000, 500_000]
    path = fetch(f"{server.address}/x.bin", tmp_path / "x.bin")
    assert path.read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == [None, "bytes=1000000-", "bytes=1500000-"]


def test_another_call_goes_on_where_one_ended(server, tmp_path):
    server.breaks_after = [100_000] * download.ATTEMPTS
    with pytest.raises(ConnectionError, match="ended after 300,000 of 3,000,000 bytes.*continues"):
        fetch(f"{server.address}/x.bin", tmp_path / "x.bin")
    assert left(tmp_path) == ["x.part.bin", "x.part.bin.tag"]
    assert fetch(f"{server.address}/x.bin", tmp_path / "x.bin").read_bytes() == CONTENT
    assert server.requests[-1][1] == "bytes=300000-"
    assert left(tmp_path) == ["x.bin", "x.bin.json"]


@pytest.mark.parametrize("change", ["another file", "no ranges", "a shorter file"])
def test_a_beginning_that_can_not_be_used_is_dropped(change, server, tmp_path):
    server.breaks_after = [900_000] * download.ATTEMPTS
    with pytest.raises(ConnectionError):
        fetch(f"{server.address}/x.bin", tmp_path / "x.bin")
    if change == "no ranges":
        server.ranges = False
    else:
        server.files["/x.bin"] = CONTENT[::-1][: 10_000 if "shorter" in change else None]
    found = fetch(f"{server.address}/x.bin", tmp_path / "x.bin").read_bytes()
    assert found == server.files["/x.bin"]


def test_what_is_not_there_and_who_does_not_answer(server, tmp_path):
    for address, message in (
        (f"{server.address}/y.bin", "404"),
        ("http://127.0.0.1:9/x.bin", "refused.*HTTPS_PROXY"),
        ("http://no-such-host.invalid/x.bin", "can't be fetched"),
    ):
        with pytest.raises(ConnectionError, match=message):
            fetch(address, tmp_path / "x.bin")
    server.status["/x.bin"] = 503
    with pytest.raises(ConnectionError, match="503"):
        fetch(f"{server.address}/x.bin", tmp_path / "x.bin")
    assert len(server.requests) == 1 + download.ATTEMPTS  # what may pass is tried again
    assert left(tmp_path) == []


def test_a_hash_in_the_name_is_checked(server, tmp_path):
    name = f"x_20220625-{hashlib.sha256(CONTENT).hexdigest()[:8]}.bin"
    server.files[f"/{name}"] = CONTENT
    assert fetch(f"{server.address}/{name}", tmp_path / "x.bin").is_file()
    server.files["/y-0123abcd.bin"] = CONTENT
    with pytest.raises(ValueError, match="begins with 0123abcd by its name; got"):
        fetch(f"{server.address}/y-0123abcd.bin", tmp_path / "y.bin")
    assert left(tmp_path) == ["x.bin", "x.bin.json"]


def test_a_date_in_the_name_is_no_hash(server, tmp_path):
    server.files["/y-20260131.bin"] = CONTENT
    assert fetch(f"{server.address}/y-20260131.bin", tmp_path / "y.bin").read_bytes() == CONTENT


def test_a_file_put_there_by_others_can_be_used_where_nothing_can_be_written(tmp_path, monkeypatch):
    def refuse(path, content):
        raise PermissionError(f"cannot write {path}")

    monkeypatch.setattr("tfflow.download.write_json", refuse)
    path = tmp_path / "x.bin"
    path.write_bytes(CONTENT)
    assert fetch("https://nowhere.example/x.bin", path) == path


def test_a_file_that_is_refused_leaves_nothing(server, tmp_path):
    def check(path):
        assert path.suffix == ".bin" and path.read_bytes() == CONTENT
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        fetch(f"{server.address}/x.bin", tmp_path / "x.bin", check=check)
    assert left(tmp_path) == []


def test_another_file_at_the_same_address_is_noticed(server, tmp_path):
    path = fetch(f"{server.address}/x.bin", tmp_path / "x.bin")
    path.unlink()
    server.files["/x.bin"] = CONTENT[::-1]
    with pytest.raises(ValueError, match="another file than on .*delete"):
        fetch(f"{server.address}/x.bin", path)
    assert not path.exists()
    fetch(f"{server.address}/x.bin", path, again=True)
    assert path.read_bytes() == CONTENT[::-1]


def test_again_keeps_the_old_file_until_the_new_one_is_there(server, tmp_path):
    path = fetch(f"{server.address}/x.bin", tmp_path / "x.bin")
    server.breaks_after = [10] * download.ATTEMPTS
    with pytest.raises(ConnectionError):
        fetch(f"{server.address}/x.bin", path, again=True)
    assert fetch(f"{server.address}/x.bin", path).read_bytes() == CONTENT


def test_a_changed_file_in_the_cache_is_noticed(server, tmp_path):
    path = fetch(f"{server.address}/x.bin", tmp_path / "x.bin")
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match="not the file that was downloaded.*Delete it"):
        fetch(f"{server.address}/x.bin", path)


def test_a_file_put_there_by_hand_is_checked_and_recorded(server, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(CONTENT)
    seen = []
    assert fetch("http://127.0.0.1:9/x.bin", path, check=seen.append) == path
    assert seen == [path] and record_of(path)["bytes"] == len(CONTENT)


def test_a_full_disk_leaves_nothing(server, tmp_path, monkeypatch):
    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *args):
            self.file.close()

        def write(self, block):
            self.file.write(block[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def opened(path, mode="r", **kwargs):
        file = open(path, mode, **kwargs)  # noqa: SIM115
        return Full(file) if "part" in str(path) and mode in ("wb", "ab") else file

    monkeypatch.setattr(download, "open", opened, raising=False)
    with pytest.raises(OSError, match="No space left"):
        fetch(f"{server.address}/x.bin", tmp_path / "x.bin")
    assert left(tmp_path) == []


def test_a_mirror_takes_the_place_of_the_server(server, tmp_path, monkeypatch):
    monkeypatch.setenv(download.MIRROR, f"{server.address}/copies/")
    server.files["/copies/a/x.bin"] = CONTENT
    fetch("https://download.example/a/x.bin?v=1", tmp_path / "x.bin")
    assert record_of(tmp_path / "x.bin")["url"] == "https://download.example/a/x.bin?v=1"


def test_a_mirror_is_an_address(tmp_path, monkeypatch):
    monkeypatch.setenv("TFFLOW_MIRROR", "/mnt/mirror")
    with pytest.raises(ValueError, match="must begin with http"):
        fetch("https://nowhere.example/x.bin", tmp_path / "x.bin")


def test_a_proxy_of_the_environment_is_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.delenv("no_proxy", raising=False)
    server.files["http://download.example/x.bin"] = CONTENT
    assert fetch("http://download.example/x.bin", tmp_path / "x.bin").read_bytes() == CONTENT


def _fetch_in_a_process(address, path, results):
    results.put(fetch(address, pathlib.Path(path)).read_bytes() == CONTENT_OF["x"])


CONTENT_OF = {"x": CONTENT}


def test_two_processes_download_it_once(server, tmp_path):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    arguments = (f"{server.address}/x.bin", str(tmp_path / "x.bin"), results)
    both = [context.Process(target=_fetch_in_a_process, args=arguments) for _ in range(2)]
    for each in both:
        each.start()
    assert [results.get(timeout=60) for _ in both] == [True, True]
    for each in both:
        each.join()
    assert len(server.requests) == 1
