"""Declared facts: attributes and event kinds that campaign definitions declare, and the values that rows hold."""
