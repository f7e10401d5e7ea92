"""Generated worlds: campaigns over the whole vocabulary, facts, corrections and acts, and what must hold for each.

`python -m tests.worlds --seed 1 --count 500 [--postgres]` tries many and shrinks those that fail. A seed names a world.
"""
