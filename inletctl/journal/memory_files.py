"""A small file system in memory: the board's flash for a simulated board, and for reading a journal's files."""

import errno
import io


class MemoryFiles:
    """Files by path, as much of a file system as drivers.store.BoardFiles. Errors are OSError."""

    def __init__(self, files: "dict[str, bytes] | None" = None):
        self.files = dict(files or {})
        self.folders = {path.rpartition("/")[0] for path in self.files} | {""}

    def open(self, path: str, mode: str) -> io.BytesIO:
        """Open to read ("rb"), to write anew ("wb") or behind what is there ("ab")."""
        if mode == "rb":
            if path not in self.files:
                raise OSError(errno.ENOENT, path)
            return io.BytesIO(self.files[path])
        if path.rpartition("/")[0] not in self.folders:
            raise OSError(errno.ENOENT, path)
        return _Written(self, path, self.files.get(path, b"") if mode == "ab" else b"")

    def rename(self, path: str, new_path: str) -> None:
        """Put a file at another path, over what is there."""
        if path not in self.files:
            raise OSError(errno.ENOENT, path)
        self.files[new_path] = self.files.pop(path)

    def remove(self, path: str) -> None:
        """Remove a file."""
        if self.files.pop(path, None) is None:
            raise OSError(errno.ENOENT, path)

    def mkdir(self, path: str) -> None:
        """Make a folder."""
        if path in self.folders:
            raise OSError(errno.EEXIST, path)
        self.folders.add(path)


class _Written(io.BytesIO):
    """A file being written: what it holds is kept at each flush, and when it is closed."""

    def __init__(self, owner: MemoryFiles, path: str, before: bytes):
        super().__init__()
        self._owner = owner
        self._path = path
        self.write(before)

    def flush(self) -> None:
        """Keep what was written."""
        self._owner.files[self._path] = self.getvalue()

    def close(self) -> None:
        """Keep what was written, and be done."""
        if not self.closed:
            self.flush()
        super().close()
