"""Where verdicts go: one consumer loop for any store, and the stores.

- `sink`: what a store is, and what it promises the loop
- `consume`: the loop: poll, write, dead letters, then commit
- `bisection`: which row of a batch is bad
- `postgres`, `prometheus`: the stores
- `migrate`: the tables
"""
