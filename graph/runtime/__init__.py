"""Sessions: what runs a plan, and everything that changes while it runs."""
