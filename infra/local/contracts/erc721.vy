# pragma version 0.4.3
"""
@title An ERC-721 collection for the local chain
@license Apache-2.0
@notice As much of the standard as ownership needs. Anybody may mint.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    token: indexed(uint256)

owners: HashMap[uint256, address]
balances: HashMap[address, uint256]


@external
def mint(to: address, token: uint256):
    """@notice Makes `token` for `to`. Reverts if it exists."""
    assert to != empty(address) and self.owners[token] == empty(address), "not to be minted"
    self.owners[token] = to
    self.balances[to] += 1
    log Transfer(sender=empty(address), receiver=to, token=token)


@external
def transferFrom(sender: address, to: address, token: uint256):
    """@notice Moves a token of the caller."""
    assert sender == msg.sender and self.owners[token] == sender, "not yours"
    assert to != empty(address), "nobody is there"
    self.owners[token] = to
    self.balances[sender] -= 1
    self.balances[to] += 1
    log Transfer(sender=sender, receiver=to, token=token)


@external
@view
def balanceOf(owner: address) -> uint256:
    """@notice How many tokens `owner` has."""
    assert owner != empty(address), "nobody is there"
    return self.balances[owner]


@external
@view
def ownerOf(token: uint256) -> address:
    """@notice Whose `token` is. Reverts if it does not exist."""
    assert self.owners[token] != empty(address), "no such token"
    return self.owners[token]


@external
@view
def supportsInterface(interfaceId: bytes4) -> bool:
    """@notice ERC-165."""
    return interfaceId == 0x01ffc9a7 or interfaceId == 0x80ac58cd
