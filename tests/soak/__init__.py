"""Soak test: clients claim while processes are killed; at the end their history is compared with the rows."""
