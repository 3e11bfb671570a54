"""Rows from disk: the C-MAPSS fleets, checked, or a simulated one in their format."""
