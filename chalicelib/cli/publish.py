"""Writing text records of ENS names to the chain: the one place of the SDK's side that needs web3.

Source: ENSIP-5 (text records), ENS registry and public resolver. The transaction is signed here and sent raw,
so any node will do; no node ever holds the key.
"""

from __future__ import annotations

from typing import Any, Final

from chalicelib.client.identity import Identity
from chalicelib.client.wallet import Wallet
from chalicelib.names.encoding import namehash
from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import Forbidden, NotFound, Unavailable
from chalicelib.protocol.profile import USER_PROFILE_RECORD

ENS_REGISTRY: Final = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"
MINED_WITHIN_S: Final = 300
_NOBODY: Final = "0x" + "00" * 20

_REGISTRY_ABI: Final = [
    {
        "name": "resolver",
        "type": "function",
        "stateMutability": "view",
        "inputs": [{"name": "node", "type": "bytes32"}],
        "outputs": [{"name": "", "type": "address"}],
    }
]
_RESOLVER_ABI: Final = [
    {
        "name": "setText",
        "type": "function",
        "stateMutability": "nonpayable",
        "inputs": [
            {"name": "node", "type": "bytes32"},
            {"name": "key", "type": "string"},
            {"name": "value", "type": "string"},
        ],
        "outputs": [],
    }
]


def publish_profile(rpc_url: str, identity: Identity, wallet: Wallet) -> str:
    """Publish the profile of `identity` at ENS; as `publish_text`. `wallet` must own the name."""
    return publish_text(rpc_url, identity.name, USER_PROFILE_RECORD, identity.profile_record(), wallet)


def publish_text(rpc_url: str, name: str, key: str, value: str, wallet: Wallet) -> str:
    """Set the text record `key` of `name`; the hash of the transaction, once it is mined.

    Raises InvalidName, NotFound (the name has no resolver), Forbidden (the chain refuses: the wallet does not
    own the name, or cannot pay), Unavailable (the node does not answer, or nothing is mined).
    """
    # Importing web3 takes a second and a half.
    from requests.exceptions import RequestException
    from web3 import HTTPProvider, Web3
    from web3.exceptions import ContractLogicError, TimeExhausted, Web3Exception, Web3RPCError

    chain = Web3(HTTPProvider(rpc_url))
    try:
        return _publish(chain, name, key, value, wallet)
    except (ContractLogicError, Web3RPCError):
        raise Forbidden(
            "The chain refuses the transaction: the wallet must own the name and be able to pay for it."
        ) from None
    except TimeExhausted:
        raise Unavailable("The transaction was sent, but has not been mined yet.") from None
    except (RequestException, Web3Exception, ValueError):
        raise Unavailable("The node of the chain gave no answer that can be used; try again.") from None


def _publish(chain: Any, name: str, key: str, value: str, wallet: Wallet) -> str:  # noqa: ANN401 - web3
    node = namehash(normalize(name))
    registry = chain.eth.contract(address=ENS_REGISTRY, abi=_REGISTRY_ABI)
    resolver = registry.functions.resolver(node).call()
    if resolver == _NOBODY:
        raise NotFound("The name does not exist, or has no resolver.")
    set_text = chain.eth.contract(address=resolver, abi=_RESOLVER_ABI).functions.setText(node, key, value)
    # web3 estimates gas and fees, and with that the transaction is tried before it is paid for.
    transaction = set_text.build_transaction(
        {
            "from": wallet.address,
            "chainId": chain.eth.chain_id,
            "nonce": chain.eth.get_transaction_count(wallet.address, "pending"),
        }
    )
    signed = chain.eth.account.sign_transaction(transaction, wallet.private_key)
    digest = chain.eth.send_raw_transaction(signed.raw_transaction)
    receipt = chain.eth.wait_for_transaction_receipt(digest, timeout=MINED_WITHIN_S)
    if receipt["status"] != 1:
        raise Forbidden("The chain refused the transaction.")
    return "0x" + bytes(digest).hex()
