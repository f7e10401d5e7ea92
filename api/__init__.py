"""The programs' door: read and claim over REST, under `/api/v1/`."""
