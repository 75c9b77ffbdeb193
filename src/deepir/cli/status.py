"""Exit statuses of the command; 0 is a clean run."""

FAILED = 1
USAGE = 2
PARTIAL = 3
INTERRUPTED = 130
