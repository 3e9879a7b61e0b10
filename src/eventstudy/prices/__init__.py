"""The table of prices, the embedded snapshot, passports, and checks of what may be wrong."""
