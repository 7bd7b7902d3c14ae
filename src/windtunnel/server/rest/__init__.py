"""REST: paths, methods and codes for the verbs. No logic of its own."""
