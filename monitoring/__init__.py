"""What people are told of, and how: alerts, the rules and routes made of them, and their cases."""
