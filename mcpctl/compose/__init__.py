"""The compose model: reads files, touches no engine."""
