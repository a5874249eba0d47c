"""Search over binary codes that are held in memory."""
