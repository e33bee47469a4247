"""What a power cut may leave of a sequence of file operations.

Writes that were not synced may be lost, cut short or zeroed, names that were not synced old or new, in any combination.
kill -9 cannot show this, because what a process has written stays with the system. The rules are POSIX's, which are
laxer than any file system that is in use: fsync of a file keeps its content, fsync of a folder the names in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations, product

from injection import Operation

Files = dict[str, bytes]


@dataclass(eq=False)
class Content:
    """A file's bytes, and whether the disk has them."""

    data: bytes = b""
    is_synced: bool = False

    def variants(self) -> list[bytes]:
        """What may be found of it after a power cut."""
        if self.is_synced:
            return [self.data]
        return list(dict.fromkeys([self.data, b"", self.data[: len(self.data) // 2], bytes(len(self.data))]))


@dataclass
class Volume:
    """The names that the disk has, and the changes to them that it may have."""

    names: dict[str, Content] = field(default_factory=dict)
    pending: list[tuple[str, Content | None]] = field(default_factory=list)  # a name and what it is to be; None: gone
    now: dict[str, Content] = field(default_factory=dict)  # as running programs see it

    def do(self, operation: Operation, folder: str) -> None:
        """Carry out an operation."""
        kind, path, data, target = operation
        if kind == "open" and path != folder and path not in self.now:
            self.now[path] = Content()
            self.pending.append((path, self.now[path]))
        elif kind == "write":
            content = self.now[path]
            content.data, content.is_synced = content.data + data, False
        elif kind == "fsync" and path == folder:
            for name, content in self.pending:
                self._settle(self.names, name, content)
            self.pending.clear()
        elif kind == "fsync":
            self.now[path].is_synced = True
        elif kind == "rename":
            self.now[target] = self.now.pop(path)
            self.pending += [(target, self.now[target]), (path, None)]
        elif kind == "unlink" and path in self.now:
            del self.now[path]
            self.pending.append((path, None))

    def states(self) -> Iterator[Files]:
        """What a power cut may leave at this moment."""
        subsets = chain.from_iterable(combinations(self.pending, size) for size in range(len(self.pending) + 1))
        for subset in subsets:
            names = dict(self.names)
            for name, content in subset:
                self._settle(names, name, content)
            for found in product(*(content.variants() for content in names.values())):
                yield dict(zip(names, found, strict=True))

    @staticmethod
    def _settle(names: dict[str, Content], name: str, content: Content | None) -> None:
        if content is None:
            names.pop(name, None)
        else:
            names[name] = content


def crash_states(operations: Sequence[Operation], folder: str, before: Files) -> Iterator[tuple[int, Files]]:
    """(how many operations were done, the files found) for a power cut before, between and after the operations.

    before: the files that were there, safe on the disk.
    """
    volume = Volume({name: Content(data, is_synced=True) for name, data in before.items()})
    volume.now = dict(volume.names)
    seen = set()
    for n_done in range(len(operations) + 1):
        for files in volume.states():
            key = (n_done, frozenset(files.items()))
            if key not in seen:
                seen.add(key)
                yield n_done, files
        if n_done < len(operations):
            volume.do(operations[n_done], folder)
