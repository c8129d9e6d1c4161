"""Rows as text and files, many at a time: CSV, JSON lines and Parquet, and streams that go on after a stop."""
