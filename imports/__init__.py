"""The taking-in of facts: what a column may hold, how a file is read, and how it becomes rows, whole or not at all.

Nothing is imported here: `sheet`, which runs in a child with little memory, must not pull in the ORM.
"""
