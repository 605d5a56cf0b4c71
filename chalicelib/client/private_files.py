"""Files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from chalicelib.protocol.errors import InvalidInput

OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700


def write_private(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Put `content` at `path` with mode 0600; a crash leaves the old file or the new one, never half.

    The folder is made (mode 0700) if it is missing. Raises InvalidInput when the file cannot be written, and
    when it exists and may not be replaced.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        # The mode is given on creation: at no time could somebody else open it.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            # A hard link fails if the name is taken, also if somebody takes it just now.
            os.link(temporary, path)
    except FileExistsError:
        raise InvalidInput("The file exists already and is not overwritten.") from None
    except OSError as error:
        raise InvalidInput(f"The file cannot be written: {error.strerror}.") from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def read_private(path: Path, *, max_bytes: int) -> bytes:
    """The content of `path`. Raises InvalidInput if it cannot be read or is longer than `max_bytes`."""
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise InvalidInput(f"The file cannot be read: {error.strerror}.") from None
    if len(content) > max_bytes:
        raise InvalidInput("The file is too large to be what it should be.")
    return content
