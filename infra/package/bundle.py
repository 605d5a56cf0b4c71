"""The bundle: unpacked, freed of what never runs, compiled, and packed again so that equal is equal.

Lambda cannot write bytecode, so without this every cold start would compile every module.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from infra.package.errors import PackagingError

# Where Lambda puts the bundle: what tracebacks name.
LAMBDA_ROOT = "/var/task"
# The earliest time a zip can carry; a fixed one makes equal contents equal archives.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_READABLE_BY_ALL = 0o755 << 16  # Lambda runs as another user

# The relay takes Keccak-256 from pycryptodome and nothing else of it.
_KEPT_OF_CRYPTO = (
    "Crypto/__init__.py",
    "Crypto/Hash/__init__.py",
    "Crypto/Hash/keccak.py",
    "Crypto/Hash/_keccak*",
    "Crypto/Util/__init__.py",
    "Crypto/Util/py3compat.py",
    "Crypto/Util/_raw_api.py",
    "Crypto/Util/_file_system.py",
)
# `*` matches slashes too. Metadata stays: scanners for known vulnerabilities read it, and licences are in it.
_NEVER_RUN = (
    "*.pyi",
    "*/py.typed",
    "*__pycache__/*",
    "*.dist-info/sboms/*",
    # Compiled extensions need cffi's backend only. With the package itself at hand pycryptodome would parse C
    # declarations at start, which takes three times as long as ctypes.
    "cffi/*",
    "pycparser/*",
    # The old version's interface, imported by nobody here.
    "pydantic/v1/*",
    # Engine.IO's and Socket.IO's codecs are used; sockets are held by API Gateway, not by these servers.
    "simple_websocket/*",
    "wsproto/*",
    "h11/*",
    # E-mail addresses are checked by their form, and proven by a code; nobody asks the DNS about them.
    "dns/*",
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What Lambda limits: 50 MB zipped (for a direct upload) and 250 MB unzipped."""

    zipped_bytes: int
    unzipped_bytes: int
    files: int


def _files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file())


def is_needed(name: str) -> bool:
    """Whether the file `name` (a path within the bundle, with slashes) can ever run or be asked for."""
    if name.startswith("Crypto/"):
        return any(fnmatch(name, kept) for kept in _KEPT_OF_CRYPTO)
    return not any(fnmatch(name, pattern) for pattern in _NEVER_RUN)


def unpack(archive: Path, bundle: Path) -> None:
    """Make the directory `bundle` hold exactly what is in `archive`."""
    shutil.rmtree(bundle, ignore_errors=True)
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(bundle)


def prune(bundle: Path) -> None:
    """Delete what is not needed, and the directories that this empties."""
    for path in _files(bundle):
        if not is_needed(path.relative_to(bundle).as_posix()):
            path.unlink()
    for directory in sorted((path for path in bundle.rglob("*") if path.is_dir()), reverse=True):
        if not any(directory.iterdir()):
            directory.rmdir()


def compile_all(bundle: Path) -> None:
    """Add bytecode that is trusted without a look at its source. Raises PackagingError if a module has none.

    The running Python's version is the one that Chalice names as the functions' runtime.
    """
    command = [sys.executable, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    paths = ["-s", str(bundle), "-p", LAMBDA_ROOT, str(bundle)]
    # A fixed seed keeps the order of sets in the bytecode, and with it the archive, the same each time.
    done = subprocess.run(  # noqa: S603 - our own program, with arguments of our own
        command + paths,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PackagingError(f"a module in the bundle does not compile:\n{done.stdout}{done.stderr}")


def pack(bundle: Path, archive: Path) -> Sizes:
    """Write `bundle` into `archive`; the same contents give the same bytes."""
    unzipped = files = 0
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in _files(bundle):
            entry = zipfile.ZipInfo(path.relative_to(bundle).as_posix(), _EPOCH)
            entry.external_attr = _READABLE_BY_ALL
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = path.read_bytes()
            zipped.writestr(entry, content)
            unzipped += len(content)
            files += 1
    return Sizes(zipped_bytes=archive.stat().st_size, unzipped_bytes=unzipped, files=files)
