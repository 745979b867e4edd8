"""Background work as rows: `service` for jobs with progress, `outbox` for repo writes."""
