"""Documents beside the pictures, made readable: structured reports, waveforms, encapsulated files."""
