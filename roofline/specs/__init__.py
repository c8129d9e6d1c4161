"""What a file may say, and the reader that says where it does not."""
