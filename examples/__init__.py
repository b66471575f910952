"""Apps to try things out on. Not part of the installed package."""
