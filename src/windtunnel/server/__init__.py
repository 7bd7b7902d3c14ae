"""The server: REST, streams, MCP and logins over `control`. Doors: thin, with no logic of their own."""
