"""Where verdicts and readings go: one consumer loop for any store, and the stores.

- `sink`: what a store is, and what it promises the loop
- `consume`: the loop: poll, write, dead letters, then commit
- `bisection`, `arrays`: which row of a batch is bad; how a batch is spelled
- `line`: a connection to PostgreSQL that is given up in time
- `postgres`, `prometheus`, `readings`: the stores
- `migrate`: the tables
"""
