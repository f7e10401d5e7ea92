"""A town under fault: real processes, clients that keep a history of their own, and what the rows say at the end."""
