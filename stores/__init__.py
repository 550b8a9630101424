"""Adapters: one outside system each, behind the ports of `domain.ports`, and the repositories."""
