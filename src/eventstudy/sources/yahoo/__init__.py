"""Live prices from Yahoo Finance: asked within limits, and checked."""
