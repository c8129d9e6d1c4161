"""The documentation as a site: `python -m docs.site` runs the notebooks and builds it into `build/site`."""
