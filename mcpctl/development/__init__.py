"""Working on the stack itself: run its tests, run the service without Docker."""
