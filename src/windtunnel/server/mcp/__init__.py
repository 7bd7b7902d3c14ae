"""MCP: the verbs of the server as tools, resources and prompts for a model. No logic of a run lives here."""
