"""The price table, what is measured on it, and what may be wrong with it."""
