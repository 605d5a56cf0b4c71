"""`python -m infra.local.contracts.build`: compiles our contracts into their committed artifacts.

Only this needs the Vyper compiler; a test recompiles and compares, so that sources and artifacts cannot
drift apart.
"""

from __future__ import annotations

import json

from infra.local.contracts.artifacts import HERE, artifact_path

CONTRACTS = tuple(sorted(path.stem for path in HERE.glob("*.vy")))


def artifact(contract: str) -> str:
    """The text of the artifact of `contract` (a file name without `.vy`), as its source compiles now."""
    import vyper

    wanted = ["abi", "bytecode", "bytecode_runtime"]
    compiled = vyper.compile_code((HERE / f"{contract}.vy").read_text(), output_formats=wanted)
    content = {
        "contractName": contract,
        "compiler": f"vyper {vyper.__version__}",
        "abi": compiled["abi"],
        "bytecode": compiled["bytecode"],
        "deployedBytecode": compiled["bytecode_runtime"],
    }
    return json.dumps(content, indent=2) + "\n"


if __name__ == "__main__":
    for name in CONTRACTS:
        artifact_path(name).write_text(artifact(name))
