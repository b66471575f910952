"""The store's files as the operating system sees them: permissions, disk, and processes that have them open."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from otel_mas.doctor.forms import HolderForm

_WRITE_LOCK = 120  # the byte of the -shm file that SQLite locks for writing in WAL mode
_PENDING = 0x40000000  # and its first byte in the file itself, where WAL is not used
_NETWORK = re.compile(
    r"nfs4?|cifs|smb[23]?|smbfs|afs|ceph|glusterfs|lustre|9p|vboxsf|"
    r"fuse\.(sshfs|glusterfs|ceph|s3fs|gcsfuse|rclone|vmhgfs-fuse)"
)


def siblings(path: Path) -> list[Path]:
    """The store's file, its log and its index, as far as they are there."""
    return [one for suffix in ("", "-wal", "-shm") if (one := path.with_name(path.name + suffix)).exists()]


def size(path: Path) -> int:
    """Bytes of the file and its log."""
    return sum(one.stat().st_size for one in siblings(path))


def mode(path: Path) -> str | None:
    """Permissions, octal; None where there is no file."""
    return f"{stat.S_IMODE(path.stat().st_mode):03o}" if path.exists() else None


def free(path: Path) -> int | None:
    """Bytes that this user may still write to the disk that the store is on, or would be."""
    try:
        return shutil.disk_usage(_folder(path)).free
    except OSError:
        return None


def unwritable(path: Path) -> Path | None:
    """The file or folder that keeps this user from recording into the store; None where nothing does."""
    folder = _folder(path)
    effective = os.access in os.supports_effective_ids
    needed = {folder: os.W_OK | os.X_OK, **dict.fromkeys(siblings(path), os.W_OK | os.R_OK)}
    return next((one for one, how in needed.items() if not os.access(one, how, effective_ids=effective)), None)


def open_to_others(path: Path) -> Iterator[tuple[Path, str]]:
    """The store's files that not only their owner can read, with their modes."""
    through = stat.S_IXGRP | stat.S_IXOTH
    if any(not one.stat().st_mode & through for one in path.absolute().parents if one.exists()):
        return  # a folder on the way lets nobody else pass
    for one in siblings(path):
        permissions = stat.S_IMODE(one.stat().st_mode)
        if permissions & (stat.S_IRGRP | stat.S_IROTH):
            yield one, f"{permissions:03o}"


def network_file_system(path: Path, mounts: str | None = None) -> str | None:
    """The kind of file system, where it is shared over a network. `mounts` is the mount table, as Linux shows it."""
    best, kind = "", ""
    where = f"{os.path.realpath(path)}/"
    for line in (_read("/proc/mounts") if mounts is None else mounts).splitlines():
        fields = line.split(" ")
        if len(fields) > 2:
            place = fields[1].encode().decode("unicode_escape").rstrip("/") + "/"
            if where.startswith(place) and len(place) >= len(best):
                best, kind = place, fields[2]
    return kind if _NETWORK.fullmatch(kind) else None


def holders(path: Path) -> list[HolderForm]:
    """The processes that have the store open, as far as the system says (Linux); other containers' are not seen."""
    table = _read("/proc/locks")
    inodes = {one.stat().st_ino: one.name.endswith("-shm") for one in siblings(path)} if table else {}
    writing: dict[int, bool] = {}
    for line in table.splitlines():
        fields = line.split()
        if len(fields) != 8 or fields[1] != "POSIX" or not fields[4].isdigit():
            continue
        inode, pid = int(fields[5].rpartition(":")[2]), int(fields[4])
        if inode in inodes:
            byte = _WRITE_LOCK if inodes[inode] else _PENDING
            covers = int(fields[6]) <= byte and (fields[7] == "EOF" or byte <= int(fields[7]))
            writing[pid] = writing.get(pid, False) or (fields[3] == "WRITE" and covers)
    others = sorted((pid, writes) for pid, writes in writing.items() if pid not in (os.getpid(), 0))
    return [{"pid": pid, "program": program(pid), "writing": writes} for pid, writes in others]


def program(pid: int) -> str:
    """The program of a process, without its arguments, which may hold anything."""
    words = [word for word in _read(f"/proc/{pid}/cmdline").split("\0") if word]
    if not words:
        return "another program"
    name = os.path.basename(words[0])
    script = next((word for word in words[1:3] if word.endswith((".py", "/otel-mas"))), None)
    return f"{name} {os.path.basename(script)}" if script else name


def _folder(path: Path) -> Path:
    """The folder that the store is in, or the nearest one above that is there."""
    return next((one for one in path.absolute().parents if one.exists()), Path(path.anchor))


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
