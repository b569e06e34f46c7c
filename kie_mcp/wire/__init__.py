"""The wire: the process's file descriptors, one line per message."""
