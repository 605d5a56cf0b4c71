"""The whole relay on a laptop: chain, AWS, gateway."""
