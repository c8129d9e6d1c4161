"""What readers of stored weights share."""
