"""Images and the compose file on a machine with an engine and without an outside registry of images."""
