"""Files and tables of prices and factors, in the layouts that are met."""
