"""What is run inside the unpacked bundle, in a process that sees nothing else: see `isolation`.

Standard input brings one JSON object, `{"bundle": path, "runtime": path, "handlers": [text]}`; standard
output gets one: the modules loaded by `import app`, its seconds of CPU, and whatever is absent, uncompiled or
from elsewhere.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import time
from pathlib import Path
from typing import Any


def _exercise_dependencies() -> None:
    """Call into each compiled dependency once: what is imported late must be there too."""
    from Crypto.Hash import keccak
    from nacl.bindings import crypto_sign_seed_keypair

    key, _ = crypto_sign_seed_keypair(bytes(32))
    digest = keccak.new(digest_bits=256).update(key).digest()
    coincurve = importlib.import_module("coincurve")
    signature = coincurve.PrivateKey(b"\1" * 32).sign_recoverable(digest, hasher=None)
    coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    importlib.import_module("ens_normalize").ens_normalize("b\N{LATIN SMALL LETTER O WITH DIAERESIS}b.eth")
    importlib.import_module("botocore.session")
    _exercise_notifications()


def _exercise_notifications() -> None:
    """The same for what only telling receivers needs, each as far as the relay goes into it."""
    ec = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ec")
    curve = ec.generate_private_key(ec.SECP256R1())
    importlib.import_module("http_ece").encrypt(
        b"wake",
        private_key=curve,
        dh=_uncompressed(ec.generate_private_key(ec.SECP256R1())),
        auth_secret=bytes(16),
    )
    importlib.import_module("jwt").encode({"aud": "https://push.example"}, curve, algorithm="ES256")
    importlib.import_module("standardwebhooks")
    importlib.import_module("engineio.packet").Packet(encoded_packet="2")
    importlib.import_module("socketio.packet").Packet(encoded_packet="0")
    check = importlib.import_module("email_validator").validate_email
    check("b\N{LATIN SMALL LETTER O WITH DIAERESIS}b@example.com", check_deliverability=False)
    # Lambda's runtime may have no time zones of its own: the bundle's must do.
    zoneinfo = importlib.import_module("zoneinfo")
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo("Pacific/Chatham")


def _uncompressed(key: Any) -> bytes:  # noqa: ANN401 - a class that is imported late
    serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
    point: bytes = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return point


def _import_everything() -> None:
    chalicelib = importlib.import_module("chalicelib")
    for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
        importlib.import_module(module.name)
    _exercise_dependencies()


def _foreign(allowed: list[str]) -> list[str]:
    """Loaded modules whose file lies in none of the `allowed` directories."""
    found = []
    for name, module in sorted(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        if name != "__main__" and origin and not any(Path(origin).is_relative_to(place) for place in allowed):
            found.append(name)
    return found


def _uncompiled(bundle: str) -> list[str]:
    """Loaded modules of the bundle that had to be compiled at start."""
    specs = [(name, getattr(module, "__spec__", None)) for name, module in sorted(sys.modules.items())]
    return [
        name
        for name, spec in specs
        if spec is not None
        and (spec.origin or "").startswith(bundle)
        and (spec.origin or "").endswith(".py")
        and not (spec.cached and Path(spec.cached).exists())
    ]


def main() -> None:
    """Import the application, then everything, and print what was seen."""
    places = json.load(sys.stdin)
    bundle, runtime = places["bundle"], places["runtime"]
    standard = list(sys.path)
    sys.dont_write_bytecode = True
    sys.path[:] = [bundle, *standard, runtime]
    started_s = time.process_time()
    app = importlib.import_module("app")
    cpu_s = time.process_time() - started_s
    at_start = sorted(sys.modules)
    _import_everything()
    seen = {
        "cpu_s": round(cpu_s, 3),
        "at_start": at_start,
        "absent": [name for name in places["handlers"] if not callable(getattr(app, name, None))],
        "foreign": _foreign([bundle, runtime, *standard]),
        "uncompiled": _uncompiled(bundle),
    }
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
