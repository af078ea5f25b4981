"""Sanity checks: does a map depend on what its network learned?

The room is given a method, samples and a protocol. It knows networks, methods, samples and scoring.
It does not know `bench`, run folders or reports.
"""
