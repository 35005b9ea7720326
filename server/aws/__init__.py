"""Sessions, credential sources and the meaning of AWS errors."""
