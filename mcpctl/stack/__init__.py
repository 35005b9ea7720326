"""The stack's verbs: observe, plan, apply over the compose model and the engine."""
