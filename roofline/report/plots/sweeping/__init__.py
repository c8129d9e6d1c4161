"""What stands behind the plot of a sweep."""
