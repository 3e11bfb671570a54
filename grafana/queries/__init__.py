"""Every query, once: a module for each dashboard, and one for what is drawn over it.

PromQL keeps to `plantwatch.metrics`, SQL to the tables of `sinks/migrations`; tests hold both to
it. `or vector(0)` stands where no series means that it never happened.
"""
