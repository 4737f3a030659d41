# SPDX-License-Identifier: GPL-2.0-or-later
"""An HTTP proxy between a namespace and this machine, so that apt works in a fresh Debian.

It listens inside the namespace and connects outside of it; neither addresses nor rules of this
machine are touched.  GET of http:// addresses only, through the machine's own proxy if it has one.
"""

import http.client
import http.server
import urllib.parse

from . import images, outside

PORT = 3128


class Proxy(outside.Server):
    def __init__(self, ns):
        upstream = urllib.parse.urlsplit(images.proxy())

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                if url.scheme != "http":
                    self.send_error(400)
                    return
                where = upstream if upstream.hostname else url
                link = http.client.HTTPConnection(where.hostname, where.port or 80, timeout=60)
                path = self.path if upstream.hostname else url._replace(scheme="", netloc="").geturl()
                asked = ("if-modified-since", "range", "if-range", "user-agent", "cache-control")
                headers = {k: v for k, v in self.headers.items() if k.lower() in asked}
                try:
                    link.request("GET", path, headers={**headers, "Host": url.netloc})
                    self._pass_on(link.getresponse())
                except OSError as why:
                    self.send_error(502, str(why))
                finally:
                    link.close()

            def _pass_on(self, answer):
                self.send_response(answer.status, answer.reason)
                for key in ("Content-Length", "Content-Range", "Content-Type", "Last-Modified", "Location"):
                    if answer.getheader(key):
                        self.send_header(key, answer.getheader(key))
                self.end_headers()
                while part := answer.read(65536):
                    self.wfile.write(part)

        super().__init__(ns, lambda: outside.Tcp(("0.0.0.0", PORT), Handler))
