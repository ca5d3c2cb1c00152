"""Wire-compatible CRMs on loopback, with a clock, seeded people, faults and a request log under ``/_emulator/``."""
