"""UNets and ControlNets."""
