"""A server of files on this machine, with what real ones do: ranges, tags, broken connections."""

import contextlib
import hashlib
import http.server
import threading


class FileServer:
    """Serves ``files``, path -> bytes, and records the requests.

    Attributes:
        files: What it serves.
        headers: Further headers of each answer.
        status: Path -> an error's code.
        breaks_after: If set, the next connections end after so many bytes of the body, one each.
        ranges: Whether it answers requests for a part of a file.
        requests: (path, Range or None) of each.
        address: ``http://127.0.0.1:port``.
    """

    def __init__(self):
        self.files, self.breaks_after, self.ranges, self.requests = {}, [], True, []
        self.headers, self.status = {}, {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer._answer(self)

            do_HEAD = do_GET

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _answer(self, request):
        path, asked = request.path.partition("?")[0], request.headers.get("Range")
        self.requests.append((path, asked))
        if path in self.status or path not in self.files:
            request.send_error(self.status.get(path, 404))
            return
        content = self.files[path]
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        start = 0
        if asked and self.ranges and request.headers.get("If-Range", tag) == tag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                request.send_error(416)
                return
        request.send_response(206 if start else 200)
        for name, value in {"ETag": tag, **self.headers}.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content) - start))
        if start:
            whole = len(content)
            request.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        request.end_headers()
        if request.command == "HEAD":
            return
        body = content[start:]
        if self.breaks_after:
            body = body[: self.breaks_after.pop(0)]
            request.close_connection = True
        request.wfile.write(body)


@contextlib.contextmanager
def serving():
    """A :class:`FileServer` that runs until the block ends."""
    server = FileServer()
    thread = threading.Thread(target=server._server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server._server.shutdown()
        server._server.server_close()
        thread.join()
