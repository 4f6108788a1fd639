"""What headers say, read so that nothing in them can surprise: facts of frames, tables, states and documents."""
