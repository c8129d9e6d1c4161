"""Where runs of video models will stand: a kind of run beside text and image."""
