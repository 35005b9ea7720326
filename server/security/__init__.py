"""Who may call, from where, how much, and what never reaches a log."""
