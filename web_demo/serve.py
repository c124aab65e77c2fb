"""Makes the site and serves it on this machine.

    python web_demo/serve.py                     # http://localhost:8000
    python web_demo/serve.py --port 9000 --site FOLDER

To localhost, browsers give the camera without https. To try the page on a phone, let the phone's
localhost be this one's: adb reverse tcp:8000 tcp:8000.
"""

import argparse
import contextlib
import functools
import http.server
import pathlib
import sys

from make_site import SiteError, make_site

ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8000, help="0: any free one")
    parser.add_argument("--site", type=pathlib.Path, help="a site that is made already")
    parser.add_argument(
        "--plain", action="store_true", help="without the headers for threads, as plain hosts do"
    )
    arguments = parser.parse_args()
    try:
        site = arguments.site or make_site()
    except SiteError as error:
        sys.exit(f"serve: {error}")
    handler = functools.partial(Handler, directory=site, isolated=not arguments.plain)
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), handler)
    except OSError as error:
        sys.exit(f"serve: port {arguments.port} can't be used ({error.strerror}). Try --port 0")
    print(f"http://localhost:{server.server_port}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files, with the headers that let WebAssembly use threads."""

    # Windows's registry may say otherwise of these.
    extensions_map = {  # noqa: RUF012
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def __init__(self, *arguments, isolated, **options):
        self.isolated = isolated
        super().__init__(*arguments, **options)

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")  # asked for anew, sent if changed
        if self.isolated:
            for name, value in ISOLATION.items():
                self.send_header(name, value)
        super().end_headers()

    def log_request(self, *_):
        """Says nothing of what goes well; errors are written."""


if __name__ == "__main__":
    main()
