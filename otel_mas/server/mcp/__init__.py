"""Tools for models over the Model Context Protocol: the answers of the command line, in parts that fit a prompt."""
