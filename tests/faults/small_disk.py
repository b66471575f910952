"""Disks that are full: a file system in memory that only some processes see, and a limit to the size of files."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec sleep infinity'
_BLOCK = bytes(4096)


@dataclass(frozen=True)
class SmallDisk:
    """A file system of a few megabytes, at a folder that looks empty to others."""

    folder: Path
    holder: int
    """The process whose mounts it is among."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """The command that runs another one where the file system is seen."""
        return ("nsenter", "--preserve-credentials", "--user", "--mount", f"--target={self.holder}")

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no room on it."""
        filler = self._seen / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(_BLOCK)
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017
        yield
        filler.unlink()

    def copy(self, folder: Path) -> None:
        """Copy what is on it."""
        shutil.copytree(self._seen, folder)

    @property
    def _seen(self) -> Path:
        return Path(f"/proc/{self.holder}/root{self.folder}")


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[SmallDisk]:
    """Mount one. The test is skipped where this user may not."""
    folder.mkdir()
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh", f"{mebibytes}m", folder]
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("there is no unshare and nsenter of util-linux")
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        if holder.stdout.readline() != "mounted\n":
            pytest.skip(f"no file system can be mounted: {holder.communicate()[1]}")
        yield SmallDisk(folder, holder.pid)
    finally:
        holder.kill()
        holder.communicate()


@contextmanager
def no_larger_files(pid: int, store: Path) -> Iterator[None]:
    """Let a process make no file larger than the files of its store are, as a quota does."""
    files = (store.with_name(store.name + end) for end in ("", "-wal", "-shm"))
    most = max(os.path.getsize(file) for file in files)
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
