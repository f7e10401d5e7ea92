"""Allowances and entitlements: what merchants collect, what their uses take from it, what holders have."""
