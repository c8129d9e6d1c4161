"""Grids as streams of rows: planned, worked out block by block, filtered, and the best of them kept."""
