"""What answers: an index in a mode, an encoder over a gallery, another system's run file."""
