"""Runs the vectors about names. Ours are normalised by ENSIP-15, the reference's by RFC 3491 (nameprep)."""

from __future__ import annotations

from hashlib import sha256

from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import InvalidName
from tests.vectors.cases import Case, Differs, check, runs


@runs("normalize_ens_name")
def run_normalize_ens_name(case: Case) -> None:
    check(case, lambda: normalize(case["name"]))


@runs("normalize_code_points")
def run_normalize_code_points(case: Case) -> None:
    if case["counts"]["unassigned"]:
        raise Differs("the tables of ENSIP-15 know no unassigned code points")
    skipped = {int(code, 16) for code in case.get("skipped", [])}
    digest = sha256()
    for code in range(int(case["first"], 16), int(case["last"], 16) + 1):
        if code not in skipped:
            digest.update(f"{code:x} {_outcome(code)}\n".encode())
    assert digest.hexdigest() == case["digest"]


def _outcome(code: int) -> str:
    try:
        middle = normalize(f"a.{chr(code)}.b")[2:-2]
    except InvalidName:
        return "P"
    return " ".join(f"{ord(character):x}" for character in middle)


@runs("conversation_id")
def run_conversation_id(case: Case) -> None:
    check(case, lambda: f"{normalize(case['a'])},{normalize(case['b'])}")


@runs("is_same_ens_name")
def run_is_same_ens_name(case: Case) -> None:
    def attempt() -> bool:
        name = normalize(case["a"])
        return name == normalize(case["b"]) or ("alias" in case and name == normalize(case["alias"]))

    check(case, attempt)


@runs("account_display_name", "browser_storage_key")
def run_user_interface(case: Case) -> None:
    raise Differs(f"a relay and its SDK show and store nothing in a browser ({case['id']})")
