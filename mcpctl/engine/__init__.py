"""The Docker Engine behind frozen types of our own: the only room that knows the Docker SDK."""
