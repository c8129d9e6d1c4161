"""What a run costs and what it draws: the options about money, prices of machines, watts, and quantities of them."""
