"""Stored downloads of prices: kept, picked, compared and joined."""
