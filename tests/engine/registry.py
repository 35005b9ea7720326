"""A registry of images in memory, as much of it as an engine needs to pull (OCI distribution)."""

from __future__ import annotations

import hashlib
import json
import platform
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """Holds one version of each image; ``address`` is what an image's name begins with."""

    def __init__(self, port: int) -> None:
        self.address = f"127.0.0.1:{port}"
        self.asked: list[str] = []
        self._manifests: dict[str, bytes] = {}
        self._blobs: dict[str, bytes] = {}

    def offer(self, name: str, tag: str, layer: bytes, *env: str) -> None:
        """Offer an image of one uncompressed layer, in the place of what had its name."""
        config = {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],
            "os": "linux",
            "config": {"Env": [*env, "PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
            "history": [{"created": "2026-01-01T00:00:00Z"}],
        }
        settings = json.dumps(config).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": KIND,
            "config": self._blob("application/vnd.docker.container.image.v1+json", settings),
            "layers": [self._blob("application/vnd.docker.image.rootfs.diff.tar", layer)],
        }
        text = json.dumps(manifest).encode()
        for reference in (tag, digest(text)):
            self._manifests[f"/v2/{name}/manifests/{reference}"] = text

    def _blob(self, kind: str, content: bytes) -> dict[str, Any]:
        self._blobs[digest(content)] = content
        return {"mediaType": kind, "size": len(content), "digest": digest(content)}

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return status, media type and body."""
        self.asked.append(path)
        if path == "/v2/":
            return 200, "application/json", b"{}"
        if manifest := self._manifests.get(path):
            return 200, KIND, manifest
        blob = self._blobs.get(path.rpartition("/")[2])
        return (200, "application/octet-stream", blob) if blob else (404, "application/json", b"{}")


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@contextmanager
def serving() -> Iterator[Registry]:
    """Serve a registry on a free port of the loopback, which engines trust without TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.wfile.write(self._begin())

        def do_HEAD(self) -> None:
            self._begin()

        def _begin(self) -> bytes:
            status, kind, body = registry.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", digest(body))
            self.end_headers()
            return body

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry = Registry(server.server_port)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield registry
        server.shutdown()
        thread.join()
