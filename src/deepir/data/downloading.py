"""One file over HTTP into memory: asked for again where that may help, refused if it is another."""

from __future__ import annotations

import hashlib
import io
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests import RequestException

ATTEMPTS, ATTEMPTS_WRONG = 6, 2
"""How often a file is asked for where the connection fails, and where its content is another."""

FIRST_WAIT_S = 0.5  # before the second attempt; each further one waits twice as long
TIMEOUT_S = (10.0, 30.0)  # for the connection, and for each further piece
LARGEST_BYTES = 2**26
"""No file of a dataset has more; what travels packed could become any size."""

CHUNK_BYTES = 16384  # small, so that whoever ends a download on a slow line need not wait
_MAY_PASS = (408, 425, 429)  # answers that may be another one later, as all from 500 on


class NotDownloadedError(Exception):
    """A file cannot be had from an address; the message is one line and says why."""


class UnwantedError(Exception):
    """Nobody wants the file any more; its download ended in between."""


def download(
    url: str, sha256: str, *, unwanted: threading.Event, first_wait_s: float = FIRST_WAIT_S
) -> bytes:
    """Content of the file at an address, whose SHA-256 (64 hex digits) is as it is to be.

    A connection that fails or breaks is tried again after ``first_wait_s`` seconds, then after
    twice as long and so on; an answer that will stay the same, such as 404, is final.

    Raises:
        NotDownloadedError: no attempt gave this content.
        UnwantedError: ``unwanted`` was set meanwhile.
    """
    attempt = 1
    while True:
        try:
            return _attempt(url, sha256, unwanted)
        except _FailedError as error:
            if attempt >= error.attempts:
                raise NotDownloadedError(f"{error}: {url}") from None
        if unwanted.wait(first_wait_s * 2 ** (attempt - 1)):
            raise UnwantedError
        attempt += 1


class _FailedError(Exception):
    """One attempt failed; ``attempts`` is how many of them such a failure is worth."""

    def __init__(self, reason: str, attempts: int) -> None:
        super().__init__(reason)
        self.attempts = attempts


def _attempt(url: str, sha256: str, unwanted: threading.Event) -> bytes:
    from pooch import HTTPDownloader
    from requests import RequestException

    content = io.BytesIO()
    fetch = HTTPDownloader(_Listener(unwanted, content), CHUNK_BYTES, timeout=TIMEOUT_S)
    try:
        fetch(url, content, None)
    except RequestException as error:
        raise _failure(error) from None
    found = hashlib.sha256(content.getbuffer()).hexdigest()
    if found != sha256:
        reason = f"another file than the published one (SHA-256 {found[:12]}..., not {sha256[:12]})"
        raise _FailedError(reason, ATTEMPTS_WRONG)
    return content.getvalue()


class _Listener:
    """Takes the place of a progress bar: it is told of each piece, and can end the download."""

    total = 0

    def __init__(self, unwanted: threading.Event, content: io.BytesIO) -> None:
        self._unwanted = unwanted
        self._content = content

    def update(self, size: int) -> None:
        if self._unwanted.is_set():
            raise UnwantedError
        if self._content.tell() > LARGEST_BYTES:
            reason = f"it is longer than {LARGEST_BYTES} bytes, so it is another file"
            raise _FailedError(reason, ATTEMPTS_WRONG)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


def _failure(error: RequestException) -> _FailedError:
    """One line for a person, and whether another attempt makes sense."""
    from requests import HTTPError, Timeout

    if isinstance(error, HTTPError) and error.response is not None:
        error.response.close()
        status = error.response.status_code
        passing = status >= 500 or status in _MAY_PASS
        answer = f"the server answers {status} {error.response.reason}"
        return _FailedError(answer, ATTEMPTS if passing else 1)
    if isinstance(error, Timeout):
        return _FailedError("the server does not answer", ATTEMPTS)
    return _FailedError(f"the connection failed ({_innermost(error)})", ATTEMPTS)


def _innermost(error: BaseException) -> str:
    """What the first of a chain of errors says."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].lower()
