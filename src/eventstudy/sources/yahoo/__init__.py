"""Live prices from Yahoo Finance: asked within limits, read with suspicion."""
