"""The AWS sandbox: a moto server with a small, always equal account in it."""
