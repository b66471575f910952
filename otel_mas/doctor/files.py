"""What the operating system says of the store's file: who may read and write it, where it lies, who has it open."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_WRITE_LOCK = 120  # SQLite's byte in the -shm file that whoever writes in WAL mode holds
_PENDING = 0x40000000  # and its first byte in the file itself, where WAL is not used
_OVER_A_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "9p", "vboxsf"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.vmhgfs-fuse"}
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a lock on the store: it has it open. `writing`: it held the write lock at that moment."""

    pid: int
    program: str
    writing: bool


def siblings(path: Path) -> list[Path]:
    """The store's file, its log and its index, as far as they are there."""
    return [one for suffix in ("", "-wal", "-shm") if (one := path.with_name(path.name + suffix)).exists()]


def unwritable(path: Path) -> Path | None:
    """The file or folder that keeps this user from recording into the store; None where nothing does."""
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    for one in (folder, *siblings(path)):
        needed = os.W_OK | os.X_OK if one == folder else os.W_OK | os.R_OK
        try:
            allowed = os.access(one, needed, effective_ids=os.access in os.supports_effective_ids)
        except NotImplementedError:
            allowed = os.access(one, needed)
        if not allowed:
            return one
    return None


def open_to_others(path: Path) -> Iterator[tuple[Path, str]]:
    """Those of the store's files that not only their owner can read, and their modes."""
    if os.name != "posix" or _closed_above(path):
        return
    for one in siblings(path):
        mode = stat.S_IMODE(one.stat().st_mode)
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            yield one, f"{mode:03o}"


def mode(path: Path) -> str | None:
    """Permissions, octal."""
    try:
        return f"{stat.S_IMODE(path.stat().st_mode):03o}"
    except OSError:
        return None


def size(path: Path) -> int:
    """Bytes of the file and its log."""
    return sum(one.stat().st_size for one in siblings(path))


def free(path: Path) -> int | None:
    """Bytes that this user may still write to the disk that the store is on, or would be."""
    import shutil

    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def network_file_system(path: Path, mounts: str | None = None) -> str | None:
    """The kind of file system, where it is one that is shared over a network.

    Args:
        mounts: the mount table, as Linux shows it.
    """
    table = _read("/proc/mounts") if mounts is None else mounts
    best, kind = "", ""
    where = f"{os.path.realpath(path)}/"
    for line in table.splitlines():
        fields = line.split(" ")
        if len(fields) > 2:
            place = fields[1].encode().decode("unicode_escape").rstrip("/") + "/"
            if where.startswith(place) and len(place) >= len(best):
                best, kind = place, fields[2]
    return kind if kind in _OVER_A_NETWORK else None


def holders(path: Path, locks: str | None = None) -> list[Holder]:
    """The processes that have the store open, as far as the system says; other containers' are not seen.

    Args:
        locks: the table of locks, as Linux shows it.
    """
    table = _read("/proc/locks") if locks is None else locks
    numbers = {one.stat().st_ino: one.name.endswith("-shm") for one in siblings(path)} if table else {}
    writing: dict[int, bool] = {}
    for line in table.splitlines():
        fields = line.split()
        if len(fields) != 8 or fields[1] != "POSIX" or not fields[4].isdigit():
            continue
        number = int(fields[5].rpartition(":")[2])
        if number in numbers:
            pid = int(fields[4])
            writes = fields[3] == "WRITE" and _covers(fields[6:], _WRITE_LOCK if numbers[number] else _PENDING)
            writing[pid] = writing.get(pid, False) or writes
    own = os.getpid()
    return [Holder(pid, program(pid), writes) for pid, writes in sorted(writing.items()) if pid not in (own, 0)]


def program(pid: int) -> str:
    """What a process runs, without arguments, which may hold anything."""
    words = [word for word in _read(f"/proc/{pid}/cmdline").split("\0") if word]
    if not words:
        return "another program"
    named = os.path.basename(words[0])
    script = next((word for word in words[1:3] if word.endswith(".py") or word.endswith("/otel-mas")), None)
    return f"{named} {os.path.basename(script)}" if script else named


def _covers(span: Sequence[str], byte: int) -> bool:
    first = int(span[0])
    return first <= byte and (span[1] == "EOF" or byte <= int(span[1]))


def _closed_above(path: Path) -> bool:
    """Whether a folder on the way there lets nobody else through."""
    through = stat.S_IXGRP | stat.S_IXOTH
    return any(not one.stat().st_mode & through for one in path.absolute().parents if one.exists())


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
