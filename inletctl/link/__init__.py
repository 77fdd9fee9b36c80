"""The board's line protocol on the host: codec, ports, and what is asked over them."""
