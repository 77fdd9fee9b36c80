"""The journal on the host: what the codes and verdicts mean in words, reading a board's, its files on flash."""
