"""Fitting the world to figures: the data, the moments they are compared by, and the fit."""
