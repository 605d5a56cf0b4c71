"""Whether everything that requirements.txt asks for is in the bundle."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# A line that begins a requirement: indented lines are hashes and comments.
_REQUIREMENT = re.compile(r"^[A-Za-z0-9][^#\\]*", re.MULTILINE)


def required(requirements: Path) -> dict[str, str]:
    """Versions by canonical name of what the lock file pins for this platform."""
    pins: dict[str, str] = {}
    for line in _REQUIREMENT.findall(requirements.read_text("utf-8")):
        requirement = Requirement(line.strip())
        if requirement.marker is None or requirement.marker.evaluate():
            pins[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return pins


def bundled(bundle: Path) -> dict[str, str]:
    """Versions by canonical name of the distributions in `bundle`, as their metadata directories say."""
    found: dict[str, str] = {}
    for metadata in bundle.glob("*.dist-info"):
        name, _, version = metadata.name.removesuffix(".dist-info").rpartition("-")
        found[canonicalize_name(name)] = version
    return found


def missing(requirements: Path, bundle: Path) -> list[str]:
    """Requirements that `bundle` lacks or has in another version, as `name==version`, sorted."""
    present = bundled(bundle)
    return sorted(
        f"{name}=={version}"
        for name, version in required(requirements).items()
        if present.get(name) != version
    )
