# pragma version 0.4.3
"""
@title An ERC-20 token for the local chain
@license Apache-2.0
@notice As much of the standard as balances need. Anybody may mint.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

decimals: public(constant(uint8)) = 18
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])


@external
def mint(to: address, amount: uint256):
    """@notice Makes `amount` units for `to`."""
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log Transfer(sender=empty(address), receiver=to, value=amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    """@notice Moves `amount` units of the caller. Reverts if they are not there."""
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[to] += amount
    log Transfer(sender=msg.sender, receiver=to, value=amount)
    return True
