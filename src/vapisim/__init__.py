"""A stand-in for the Vapi voice API: the same routes, bodies, limits and webhooks, without a telephone.

A client written for the real service runs against it unmodified; only the base URL differs. It is
stateful, seeded and faster than life by a factor, and it keeps a ledger of its own so that tests can ask
an independent witness what was really dialled.
"""

__version__ = "1.0.0"
