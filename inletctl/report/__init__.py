"""Writers of a recorded session: spreadsheet, waveform, interactive page, machine-readable summary."""
