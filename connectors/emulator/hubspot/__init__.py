"""HubSpot as the emulator plays it: the world's state and the handlers of its API."""
