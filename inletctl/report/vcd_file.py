"""What every waveform file begins with: VCD (IEEE 1364), for GTKWave and PulseView."""

from typing import TextIO

from vcd import VCDWriter


def vcd_writer(stream: TextIO, comment: str, tick_us: int = 1000) -> VCDWriter:
    """Return the writer of a file in units of `tick_us`, 1 or 1000. The same content gives the same file."""
    return VCDWriter(
        stream,
        timescale="1 ms" if tick_us == 1000 else "1 us",
        # A `$` would begin a keyword and could end the comment early.
        comment=ascii_text(comment.replace("$", "S")),
        version="OpenInlet inletctl",
        date="",
        check_values=False,
    )


def ascii_text(text: str) -> str:
    """Return `text` on one line, `?` for what is not ASCII: readers refuse a string with anything else in it."""
    return " ".join(text.split()).encode("ascii", "replace").decode()
