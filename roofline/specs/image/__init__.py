"""What a file may say of an image model and its parts."""
