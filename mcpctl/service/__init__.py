"""The tool service as its client sees it: HTTP and nothing else."""
