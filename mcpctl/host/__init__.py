"""The operator's machine: its distribution, its engine daemon, its base image, its ports and its limits."""
