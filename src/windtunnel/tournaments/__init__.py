"""Strategies that play against each other: formats, meetings, tables, ratings."""
