"""The command line: options -> request -> operation -> answer. One short module for each group."""
