"""What HTTP and OSC share: service, options, listening addresses, error responses."""

__all__ = ["addresses", "error_responses", "message_reports", "options", "service"]
