"""Import of facts: schemas of files, parsing, staging, upload jobs and exports.

Nothing is imported here: `xlsx_to_csv` runs in a child process with little memory and must not load Django.
"""
