"""Over which devices a run goes: plans, nodes, links, what is elsewhere."""
