"""What machines and tokens cost and what chips draw: dated tables with their sources, and how they are read."""
