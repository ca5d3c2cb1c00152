"""Salesforce through simple-salesforce: one session with our own timeout, login and retries, raw JSON."""
