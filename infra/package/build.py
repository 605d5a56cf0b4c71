"""The whole packaging step: from the working tree to what is uploaded, checked on the way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from infra.package import bundle as bundles
from infra.package.cloudformation import handlers, lint, translate
from infra.package.dependencies import missing
from infra.package.errors import PackagingError
from infra.package.isolation import Probed, probe_bundle
from infra.package.stage import ROOT, TEMPLATE, lay_out, run_chalice
from infra.package.template import write

# Half as much again as the bundle has: who adds so much should decide to, as was done for cryptography.
ZIPPED_CEILING_BYTES = 24_000_000
UNZIPPED_CEILING_BYTES = 68_000_000


@dataclass(frozen=True, slots=True)
class Built:
    """What a packaging run left behind and saw.

    `bundle` is the unpacked directory, `archive` what is uploaded, `sam` what Chalice wrote, and
    `template` the linted CloudFormation to deploy.
    """

    bundle: Path
    archive: Path
    sam: Path
    template: Path
    sizes: bundles.Sizes
    probed: Probed


def build(output: Path = ROOT / "build", source: Path = ROOT) -> Built:
    """Package the application of `source` into `output`.

    Raises PackagingError, and then nothing in `output` is fit to use.
    """
    stage, chalice, bundle = output / "stage", output / "chalice", output / "bundle"
    lay_out(stage, source)
    run_chalice(stage, chalice, write(TEMPLATE, output / "merge.yaml"))
    bundles.unpack(chalice / "deployment.zip", bundle)
    if absent := missing(stage / "requirements.txt", bundle):
        raise PackagingError(f"not in the bundle, for want of a wheel for Lambda: {', '.join(absent)}")
    bundles.prune(bundle)
    bundles.compile_all(bundle)
    probed = probe_bundle(bundle, handlers(chalice / "sam.yaml"))
    if probed.heavy_at_start:
        raise PackagingError(f"the functions import at start what they must not: {probed.heavy_at_start}")
    archive = output / "relay.zip"
    sizes = bundles.pack(bundle, archive)
    if sizes.zipped_bytes > ZIPPED_CEILING_BYTES or sizes.unzipped_bytes > UNZIPPED_CEILING_BYTES:
        raise PackagingError(f"the bundle has outgrown its ceiling: {sizes}")
    template = output / "relay.template.json"
    _write_template(chalice / "sam.yaml", template)
    return Built(bundle, archive, chalice / "sam.yaml", template, sizes, probed)


def _write_template(sam: Path, template: Path) -> None:
    translated = translate(sam)
    if found := lint(translated):
        raise PackagingError("the translated template does not lint:\n" + "\n".join(found))
    template.write_text(json.dumps(translated, indent=1, sort_keys=True) + "\n", "utf-8")
