"""Where training runs will stand: a kind of run beside text and image."""
