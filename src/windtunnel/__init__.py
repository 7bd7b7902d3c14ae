"""Windtunnel."""
