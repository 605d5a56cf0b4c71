"""`python -m infra.local.contracts.build`: compiles the universal resolver into its committed artifact.

Only this needs the Vyper compiler; a test recompiles and compares, so that source and artifact cannot
drift apart.
"""

from __future__ import annotations

import json
from pathlib import Path

from infra.local.contracts.artifacts import UNIVERSAL_RESOLVER_ARTIFACT

SOURCE = Path(__file__).with_name("universal_resolver.vy")


def artifact() -> str:
    """The artifact's text, as the source compiles now."""
    import vyper

    wanted = ["abi", "bytecode_runtime"]
    compiled = vyper.compile_code(SOURCE.read_text(), output_formats=wanted)
    content = {
        "contractName": "UniversalResolver",
        "compiler": f"vyper {vyper.__version__}",
        "abi": compiled["abi"],
        "deployedBytecode": compiled["bytecode_runtime"],
    }
    return json.dumps(content, indent=2) + "\n"


if __name__ == "__main__":
    UNIVERSAL_RESOLVER_ARTIFACT.write_text(artifact())
