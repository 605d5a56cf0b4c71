# pragma version 0.4.3
"""
@title A contract for the local chain where ether is staked
@license Apache-2.0
@notice What a stake rule reads is `depositOf(address)`; any contract with that view can take this one's place.
"""

depositOf: public(HashMap[address, uint256])


@external
@payable
def deposit():
    """@notice Adds what comes with the call to the deposit of the caller."""
    self.depositOf[msg.sender] += msg.value


@external
def withdraw(amount: uint256):
    """@notice Gives `amount` wei of the caller's deposit back. Reverts if there is not as much."""
    self.depositOf[msg.sender] -= amount
    send(msg.sender, amount)
