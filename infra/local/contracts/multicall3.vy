# pragma version 0.4.3
"""
@title Multicall3 on the local chain
@license Apache-2.0
@notice
    Answers as the Multicall3 that stands at the same address on most chains, to the two functions that matter
    here. Bounded where that one is not: see the constants; an answer that is longer is cut off.
"""

MAX_CALLS: constant(uint256) = 64
MAX_CALL: constant(uint256) = 1024
MAX_ANSWER: constant(uint256) = 2048


struct Call3:
    target: address
    allowFailure: bool
    callData: Bytes[MAX_CALL]


struct Result:
    success: bool
    returnData: Bytes[MAX_ANSWER]


@external
@payable
def aggregate3(calls: DynArray[Call3, MAX_CALLS]) -> DynArray[Result, MAX_CALLS]:
    """@notice Makes the calls in their order. Reverts if one fails that may not."""
    results: DynArray[Result, MAX_CALLS] = []
    for call: Call3 in calls:
        success: bool = False
        answer: Bytes[MAX_ANSWER] = b""
        success, answer = raw_call(
            call.target, call.callData, max_outsize=MAX_ANSWER, revert_on_failure=False
        )
        assert success or call.allowFailure, "Multicall3: call failed"
        results.append(Result(success=success, returnData=answer))
    return results


@external
@view
def getEthBalance(addr: address) -> uint256:
    """@notice The balance of `addr` in wei."""
    return addr.balance
