"""Downloads from mirrors, any of which may be gone, slow, or wrong."""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any

from deltarule.atomic import atomic_stream
from deltarule.data.sources import PublishedFile
from deltarule.errors import DataError, DownloadError, FileError

CHUNK_BYTES = 2**16


class Mirrors:
    """The mirrors of one data set. One that fails in any way is not tried again.

    urls: in the order in which to try them; a file's name is appended.
    connect_seconds: how long to wait for mirrors that do not answer, in total for all of them and all files.
    stall_seconds: how long a mirror that has answered may send nothing.
    """

    def __init__(self, urls: Iterable[str], *, connect_seconds: float = 5.0, stall_seconds: float = 10.0) -> None:
        self.urls = list(urls)
        self.patience = connect_seconds
        self.stall_seconds = stall_seconds
        self.failures: list[str] = []

    def fetch(self, file: PublishedFile, target: Path) -> None:
        """Save the published `file` at `target`, whole or not at all, from the first mirror that has it.

        Raises DownloadError if no mirror has it, with the error of each, or if the file cannot be written.
        """
        while self.urls:
            try:
                return self._fetch_from(self.urls[0], file, target)
            except DownloadError as error:
                self.failures.append(f"{self.urls.pop(0)}: {error}")
            except OSError as error:
                is_said = isinstance(error, FileError)
                raise DownloadError(f"{error}" if is_said else f"{target} could not be written: {error}") from error
        raise DownloadError(f"no mirror gave {file.name}\n  " + "\n  ".join(self.failures))

    def _fetch_from(self, mirror: str, file: PublishedFile, target: Path) -> None:
        with self._open(mirror + file.name) as response:
            if response.headers.get_content_type() == "text/html":
                raise DownloadError("a gzip file was expected: got an HTML page")
            target.parent.mkdir(parents=True, exist_ok=True)
            with atomic_stream(target) as draft:
                for chunk in self._chunks(response, file.content_bytes):
                    draft.write(chunk)
                draft.flush()
                try:
                    file.read(Path(draft.name))
                except DataError as error:
                    raise DownloadError(str(error).replace(draft.name, file.name)) from error

    def _open(self, url: str) -> Any:
        """Open `url`; return the response once its headers are here. DownloadError after a share of connect_seconds.

        A thread waits for the server, because looking up a name has no timeout, and connecting has one per address.
        """
        answer: Future[Any] = Future()
        request = urllib.request.Request(url, headers={"User-Agent": "deltarule"})  # noqa: S310 (a URL of the table)

        def connect() -> None:
            try:
                answer.set_result(urllib.request.urlopen(request, timeout=self.stall_seconds))  # noqa: S310
            except (OSError, http.client.HTTPException) as error:
                answer.set_exception(error)

        share = self.patience / len(self.urls)
        start = time.monotonic()
        Thread(target=connect, daemon=True).start()
        try:
            return answer.result(share)
        except (OSError, http.client.HTTPException) as error:
            self.patience -= time.monotonic() - start
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            raise DownloadError(str(error) or f"no answer within {share:.1f} seconds") from error

    def _chunks(self, response: Any, most_bytes: int) -> Iterator[bytes]:
        """Yield the body of a response in pieces. DownloadError if it stalls, ends early or exceeds `most_bytes`."""
        received = 0
        try:
            while chunk := response.read(CHUNK_BYTES):
                received += len(chunk)
                if received > most_bytes:
                    raise DownloadError(f"at most {most_bytes:,} bytes were expected: got more")
                yield chunk
        except TimeoutError as error:
            raise DownloadError(f"nothing came for {self.stall_seconds:g} seconds after {received:,} bytes") from error
        except (OSError, http.client.HTTPException) as error:
            raise DownloadError(f"broke off after {received:,} bytes: {error}") from error
        if response.length:  # the bytes that its header promised and that did not come
            raise DownloadError(f"ended after {received:,} bytes, {response.length:,} too early")
