"""Number formats: one each, by rule, mixed, of files and of caches."""
