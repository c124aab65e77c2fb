"""Makes the site and serves it: to this machine, or to the phones of its network.

    python web_demo/serve.py                     # http://localhost:8000
    python web_demo/serve.py --port 9000 --site FOLDER
    python web_demo/serve.py --host 0.0.0.0      # https://ADDRESS:8000, for phones near by

Browsers give the camera and threads to localhost and to https:// alone. With --host the page is
served by https, with a certificate that is made on the spot (by openssl) and kept in
web_demo/certificate: the phone's browser warns that it does not know who has signed it, once, and
shows the page when it is told to go on.
"""

import argparse
import contextlib
import functools
import http.server
import ipaddress
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import time

from make_site import DEMO, SiteError, make_site

CERTIFICATE = DEMO / "certificate"
DAYS = 365  # more than two years, and some browsers refuse it

ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to be reached at, or 0.0.0.0 for all that this machine has [%(default)s]",
    )
    parser.add_argument("--port", type=_port, default=8000, help="0: any free one")
    parser.add_argument("--site", type=pathlib.Path, help="a site that is made already")
    parser.add_argument(
        "--plain", action="store_true", help="without the headers for threads, as plain hosts do"
    )
    arguments = parser.parse_args()
    try:
        site = arguments.site or make_site()
        if not (site / "index.html").is_file():
            raise SiteError(f"{site} holds no site: web_demo/make_site.py -o FOLDER makes one")
    except SiteError as error:
        sys.exit(f"serve: {error}")
    handler = functools.partial(Handler, directory=site, isolated=not arguments.plain)
    try:
        server = http.server.ThreadingHTTPServer((arguments.host, arguments.port), handler)
    except OSError as error:
        sys.exit(
            f"serve: {arguments.host} port {arguments.port} can't be used ({error.strerror}). "
            "Try --port 0, or another --host"
        )
    scheme, addresses = "http", ["localhost"]
    if arguments.host not in ("127.0.0.1", "localhost"):
        scheme, addresses = "https", own_addresses(arguments.host)
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate(addresses))
        except SiteError as error:
            sys.exit(f"serve: {error}")
        # Each connection shakes hands on its own thread: a silent one must not stop the others.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    for address in addresses:
        print(f"{scheme}://{address}:{server.server_port}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


def _port(text):
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def own_addresses(host):
    """The addresses that others reach this machine at."""
    if host != "0.0.0.0":
        return [host]
    addresses = []
    with contextlib.suppress(OSError):
        addresses += socket.gethostbyname_ex(socket.gethostname())[2]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: asks which address would
        addresses.append(probe.getsockname()[0])
    others = [a for a in dict.fromkeys(addresses) if not ipaddress.ip_address(a).is_loopback]
    return others or ["127.0.0.1"]


def certificate(addresses, folder=CERTIFICATE):
    """The files of a certificate for these addresses, and of its key; made if there is none, or if
    it is about to end.

    Raises:
        SiteError: If openssl is missing or fails.
    """
    names = [f"DNS:{a}" if not _is_number(a) else f"IP:{a}" for a in ["localhost", *addresses]]
    wanted = ",".join(names)
    files, note = (folder / "certificate.pem", folder / "key.pem"), folder / "addresses.txt"
    there = all(file.is_file() for file in (*files, note)) and note.read_text() == wanted
    if there and time.time() - files[0].stat().st_mtime < (DAYS - 7) * 86400:
        return files
    if not shutil.which("openssl"):
        raise SiteError("a certificate is made by openssl, which is not there. Install it.")
    folder.mkdir(parents=True, exist_ok=True)
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(DAYS)]
    command += ["-subj", "/CN=tfflow demo", "-addext", f"subjectAltName={wanted}"]
    command += ["-addext", "extendedKeyUsage=serverAuth"]
    command += ["-out", str(files[0]), "-keyout", str(files[1])]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SiteError(f"openssl makes no certificate: {result.stderr.strip()}")
    files[1].chmod(0o600)
    note.write_text(wanted)
    return files


def _is_number(address):
    try:
        return bool(ipaddress.ip_address(address))
    except ValueError:
        return False


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
