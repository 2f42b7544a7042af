"""What people see of a live session: a screen, plain lines, and lines for programs."""
