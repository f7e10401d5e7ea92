"""The September 2022 season in plain Python, written from its rules and independent of the engine.

It reads the files of facts into memory and decides all nine offers as of an instant. It is a third opinion beside the
cases and the engine, and the yardstick of the benchmark `season`. Nothing here imports the project.
"""
