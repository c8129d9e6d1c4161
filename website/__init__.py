"""The documentation as a site: `python -m website` runs the notebooks and builds it into `build/site`."""
