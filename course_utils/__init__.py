"""The small package that the seven notebooks of the course sit on."""

__version__ = "0.1.0"
