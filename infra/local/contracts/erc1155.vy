# pragma version 0.4.3
"""
@title An ERC-1155 collection for the local chain
@license Apache-2.0
@notice As much of the standard as balances need. Anybody may mint.
"""

MAX_BATCH: constant(uint256) = 32

event TransferSingle:
    operator: indexed(address)
    sender: indexed(address)
    receiver: indexed(address)
    token: uint256
    value: uint256

balanceOf: public(HashMap[address, HashMap[uint256, uint256]])


@external
def mint(to: address, token: uint256, amount: uint256):
    """@notice Makes `amount` pieces of `token` for `to`."""
    self.balanceOf[to][token] += amount
    log TransferSingle(operator=msg.sender, sender=empty(address), receiver=to, token=token, value=amount)


@external
@view
def balanceOfBatch(
    owners: DynArray[address, MAX_BATCH], tokens: DynArray[uint256, MAX_BATCH]
) -> DynArray[uint256, MAX_BATCH]:
    """@notice How many pieces of each of `tokens` the owner beside it has."""
    assert len(owners) == len(tokens), "not as many owners as tokens"
    balances: DynArray[uint256, MAX_BATCH] = []
    for i: uint256 in range(len(owners), bound=MAX_BATCH):
        balances.append(self.balanceOf[owners[i]][tokens[i]])
    return balances


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    """@notice ERC-165."""
    return interfaceId == 0x01ffc9a7 or interfaceId == 0xd9b67a26
