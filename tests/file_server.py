"""A file server on this machine that breaks in the ways in which servers break."""

from __future__ import annotations

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LONGEST_S = 60


class FileServer(ThreadingHTTPServer):
    """Serves ``files`` (content by path, or a folder); ``plans`` says per path what goes wrong.

    A plan is a list of what happens at each request, ``right`` after its end: ``broken`` in the
    middle, ``wrong`` bytes, ``packed`` with gzip, ``bomb``: packed, and far too much, ``slow`` in
    small pieces, ``stalled`` in the middle until the server stops, or a status such as 404.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.plans = {}
        self.asked = []
        self.over = threading.Event()
        self._lock = threading.Lock()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def content(self, path):
        if isinstance(self.files, Path):
            file = self.files / path
            return file.read_bytes() if file.is_file() else None
        return self.files.get(path)

    def handle_error(self, *_):
        """Say nothing of clients that went away."""

    def next_step(self, path):
        with self._lock:
            self.asked.append(path)
            plan = self.plans.get(path) or self.plans.get("*")
            return plan.pop(0) if plan else "right"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.removeprefix("/")
        step, content = self.server.next_step(path), self.server.content(path)
        if content is None or isinstance(step, int):
            self.send_error(step if isinstance(step, int) else 404)
            return
        if step == "wrong":
            content = bytes(255 - byte for byte in content)
        if step == "bomb":
            content = bytes(2**27)
        if step in ("packed", "bomb"):
            content = gzip.compress(content, 1)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        if step in ("packed", "bomb"):
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.send(content, step)

    def send(self, content, step):
        half = len(content) // 2
        if step == "broken":
            self.wfile.write(content[:half])
            self.close_connection = True
        elif step == "stalled":
            self.wfile.write(content[:half])
            self.server.over.wait(LONGEST_S)
            self.close_connection = True
        elif step == "slow":
            for start in range(0, len(content), 4):
                self.wfile.write(content[start : start + 4])
                self.server.over.wait(0.001)
        else:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def serving(files):
    """A server in a thread of its own."""
    with FileServer(files) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
