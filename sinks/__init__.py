"""Where verdicts and readings go: one consumer loop for any store, and the stores.

- `sink`: what a store is, and what it promises the loop
- `consume`: the loop: poll, write, dead letters, then commit
- `subscription`: our share of a topic, polled, waited with, committed
- `dead_letters`, `instruments`: what the loop tells of rows that go no further, and of all rows
- `bisection`: which row of a batch is bad
- `postgres`, `prometheus`, `readings`: the stores
- `columns`, `arrays`: how a batch is spelled; `writer`: PostgreSQL, each wait given up in time
- `incidents`: what new verdicts do to incidents, in the transaction that stores them
- `outbox`: what is told of incidents, from a table to Kafka
- `census`: open incidents and silent machines, counted now and then; `distinct`: which there are
- `pruning`: old verdicts deleted, but for those behind an incident; `tending`: when that is done
- `locks`: what one process does at a time
- `comparison`: challengers beside production, from the two tables
- `migrate`, `migrations`: the tables
"""
