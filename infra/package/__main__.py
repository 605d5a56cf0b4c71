"""`python -m infra.package`: build what is deployed, and say what it is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.package.build import Built, build
from infra.package.errors import PackagingError
from infra.package.stage import ROOT


def _report(built: Built) -> str:
    sizes, probed = built.sizes, built.probed
    zipped_mb, unzipped_mb = sizes.zipped_bytes / 1e6, sizes.unzipped_bytes / 1e6
    start_ms = probed.import_cpu_s * 1000
    return "\n".join(
        [
            f"bundle    {built.archive}",
            f"          {zipped_mb:.1f} MB zipped, {unzipped_mb:.1f} MB unzipped, {sizes.files} files",
            f"start     {start_ms:.0f} ms of CPU for `import app`, {probed.modules_at_start} modules",
            f"template  {built.template}",
            "          translated from SAM, nothing found by cfn-lint",
        ]
    )


def main() -> int:
    """Exit status 0 if everything is fit to deploy, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="directory (default: build)")
    output = parser.parse_args().output
    try:
        sys.stdout.write(_report(build(output)) + "\n")
    except PackagingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
