"""Live prices from Yahoo Finance: asked with patience, read with suspicion."""
