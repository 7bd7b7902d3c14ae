"""Streams: what runs do, told as they do it, over WebSocket and server-sent events. docs/streams.md."""
