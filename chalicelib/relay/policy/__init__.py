"""Policy: whom do we accept? Apart from verification, which says who wrote (`relay.senders`)."""
