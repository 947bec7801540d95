"""The command line: one small module for each command, listed in line.TABLE."""
