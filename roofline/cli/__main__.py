"""`python -m roofline.cli`."""

from roofline.cli import main

main()
