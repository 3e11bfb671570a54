"""How fast, compared with what a user would write instead. Ratios within one run, never alone."""
