"""Conformance suites: plain functions that assert, for our parts and for yours.

Files, in reading order: conformance.
"""
