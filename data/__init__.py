"""Rows from disk: the C-MAPSS fleets, checked, or a simulated one in their format."""

from data.fleet import Fleet, Split
from data.lookup import load

__all__ = ["Fleet", "Split", "load"]
