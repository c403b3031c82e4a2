"""What a run will spend, known before its first request."""
