"""The vocabulary in which offers are described: reading, checking, versioning, sentences, schema."""
