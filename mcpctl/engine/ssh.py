"""An engine on another machine, through the ``ssh`` program, as the Docker CLI does it.

Each connection is one ``ssh … docker system dial-stdio`` with a real socket between it and this program, so
that limits of time, streams and polling work as on any other. Nothing is ever asked on the terminal.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter  # noqa: TID253 - this module is loaded for an ssh:// endpoint alone
from urllib3 import HTTPConnectionPool  # noqa: TID253 - as above
from urllib3.connection import HTTPConnection  # noqa: TID253 - as above

from mcpctl.engine.causes import SshFailed

if TYPE_CHECKING:
    from collections.abc import Generator

CONNECT_SECONDS = 10
IDLE_CONNECTIONS = 9
"""A server lets ten sessions through one shared connection, which the operator's settings may ask for."""
LAST_WORDS_SECONDS = 2.0


def command_for(url: str) -> tuple[str, ...]:
    """Return the command that reaches the engine behind ``ssh://[user@]host[:port][/path/to/socket]``."""
    parts = urlsplit(url)
    options = ["-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}"]
    if parts.username:
        options += ["-l", parts.username]
    if parts.port:
        options += ["-p", str(parts.port)]
    remote = ["docker", "system", "dial-stdio"]
    if parts.path:
        remote[1:1] = ["--host", f"unix://{parts.path}"]
    return ("ssh", *options, "--", str(parts.hostname), *remote)


class SshLink:
    """One ssh process, and what it said on its standard error."""

    def __init__(self, command: tuple[str, ...], end: socket.socket) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed when its words were taken
        self._said = ""
        self._lock = threading.Lock()
        # a session of its own: no terminal to ask questions on, and no share in its Ctrl-C
        self._process = subprocess.Popen(
            command, stdin=end.fileno(), stdout=end.fileno(), stderr=self._words, start_new_session=True
        )

    @property
    def ended(self) -> bool:
        """Tell whether the process is gone; its words are kept."""
        if self._process.poll() is None:
            return False
        self._take_words()
        return True

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        self._take_words()

    def last_words(self) -> str:
        """Return what ssh, or the program on the other side, said when it ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(LAST_WORDS_SECONDS)
        lines = [line.strip() for line in self._take_words().splitlines()]
        return " ".join([line for line in lines if line and not line.startswith("@")][-2:])

    def _take_words(self) -> str:
        with self._lock:
            if not self._words.closed:
                self._words.seek(0)
                self._said = self._words.read().decode("utf-8", "replace")
                if self._process.returncode is not None:
                    self._words.close()
            return self._said


class SshConnection(HTTPConnection):
    """One HTTP connection whose other end is an ssh process."""

    def __init__(self, pool: SshPool) -> None:
        super().__init__("localhost")
        self._pool = pool
        self._link: SshLink | None = None

    def connect(self) -> None:
        """Start ssh; whether it gets through shows with the first answer."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._link = self._pool.link(theirs)
            except BaseException:
                ours.close()
                raise
        ours.settimeout(self.timeout)
        self.sock = ours

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request; a link that is gone is told in ssh's own words."""
        with self._in_words_of_ssh():
            super().request(*arguments, **options)

    def getresponse(self) -> Any:
        """Await the answer; a link that is gone is told in ssh's own words."""
        with self._in_words_of_ssh():
            return super().getresponse()

    @contextlib.contextmanager
    def _in_words_of_ssh(self) -> Generator[None]:
        try:
            yield
        except SshFailed:
            raise
        except TimeoutError:
            if self._link:
                self._link.kill()  # it may wait for a network that never answers
            raise
        except (OSError, HTTPException) as error:
            if said := self._link.last_words() if self._link else "":
                raise SshFailed(said) from error
            raise


class SshPool(HTTPConnectionPool):
    """The connections to one engine, and the processes behind them."""

    def __init__(self, command: tuple[str, ...]) -> None:
        super().__init__("localhost", maxsize=IDLE_CONNECTIONS)
        self._command = command
        self._links: list[SshLink] = []
        self._lock = threading.Lock()

    def link(self, end: socket.socket) -> SshLink:
        """Start an ssh process on one end of a pair of sockets; those that have ended are forgotten."""
        if not shutil.which(self._command[0]):
            raise SshFailed("there is no ssh program here", "apt-get install openssh-client")
        made = SshLink(self._command, end)
        with self._lock:
            self._links = [link for link in self._links if not link.ended]
            self._links.append(made)
        return made

    def _new_conn(self) -> Any:
        self.num_connections += 1
        return SshConnection(self)

    def close(self) -> None:
        """Close the idle connections and end what is left of the processes."""
        super().close()
        with self._lock:
            for link in self._links:
                link.kill()
            self._links.clear()


class SshAdapter(HTTPAdapter):
    """Sends the SDK's requests through ssh."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._pool = SshPool(command_for(url))

    def get_connection_with_tls_context(self, *_arguments: Any, **_options: Any) -> SshPool:
        """Return the one pool: all requests go to the same engine."""
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> str:
        """Return the path alone: there is no proxy on this way."""
        del proxies
        return str(request.path_url)

    def close(self) -> None:
        """End all connections."""
        super().close()
        self._pool.close()
