"""From a bare machine to a healthy, credential-checked stack: the journey that `quick-start` makes."""
