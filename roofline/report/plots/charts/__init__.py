"""Pictures of memory along a size, of where the time goes, and of levels of execution."""
