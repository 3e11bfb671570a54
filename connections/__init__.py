"""What several stages need of the outside world.

- `kafka`: clients with the settings that the delivery promise needs, and the topics
- `kafka_login`: how a client comes in, and why it was refused; `kafka_roles`: who may do what
- `span`, `tail`: a topic's messages, those it holds now or as they come
- `groups`: what consumer groups have committed
- `postgres`: a connection in a role; `database`: one that is made anew after any failure
- `sqlstate`: what an error of PostgreSQL asks of us
- `prometheus`, `logs`: what a process tells of itself
"""
