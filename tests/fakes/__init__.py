"""Stand-ins that serve scripted states and injected faults."""
