"""Salesforce as the emulator plays it: the org's state and the handlers of its API."""
