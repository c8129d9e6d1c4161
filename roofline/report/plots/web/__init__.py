"""Interactive pages: how a finished figure becomes one."""
