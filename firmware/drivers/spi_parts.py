"""Opens what hangs on a board's SPI bus: the CAN port and the discrete lines. Loaded only when one of them is asked for.

Both chip selects are driven high before the bus moves for the first time; until then their pull-ups on the board keep both
chips away from it (hardware/circuit.md).
"""

from machine import SPI, Pin

# Both chips take 10 MHz (DS20001801 and DS20001952, their table on SPI timing); the wires and 3.3 V are given room.
BAUD_HZ = 4000000
_ESP32_BLOCK = 2
_SELECT_PINS = ("mux_0", "mux_1", "mux_2", "mux_3")


def open_bus(board_file):
    """Return (spi, can's chip select or None, lines' chip select or None)."""
    selects = []
    for section in (board_file.can, board_file.lines):
        # High without a glitch: the level is set before the pin is an output.
        selects.append(None if section is None else Pin(section["cs"], Pin.OUT, value=1))
    gpios = board_file.spi
    sck, mosi, miso = Pin(gpios["sck"]), Pin(gpios["mosi"]), Pin(gpios["miso"], Pin.IN)
    if board_file.chip == "rp2040":
        # Eight GPIO each in turn (RP2040 datasheet 1.4.3); drivers/board_spi.py has checked them.
        block = gpios["sck"] >> 3 & 1
    elif _shares_select(board_file):
        # The multiplexer's lines stay plain pins.
        from machine import SoftSPI

        spi = SoftSPI(baudrate=BAUD_HZ, polarity=0, phase=0, sck=sck, mosi=mosi, miso=miso)
        return spi, selects[0], selects[1]
    else:
        block = _ESP32_BLOCK
    spi = SPI(block, BAUD_HZ, polarity=0, phase=0, sck=sck, mosi=mosi, miso=miso)
    return spi, selects[0], selects[1]


def _shares_select(board_file) -> bool:
    for name in _SELECT_PINS:
        if board_file.pins[name].gpio == board_file.spi["sck"]:
            return True
    return False


def open_can(bus, board_file, rate_kbps: int):
    """Return the CAN port. Raises ValueError where the board's crystal cannot make the rate."""
    from drivers.can_port import CanPort
    from drivers.mcp2515 import MCP2515

    return CanPort(MCP2515(bus[0], bus[1], board_file.can["crystal_hz"], rate_kbps))


def open_lines(bus):
    """Return the discrete lines."""
    from drivers.mcp23s17 import MCP23S17

    return MCP23S17(bus[0], bus[2])
