"""Speed beside peers: `./dev bench [NAME…] [--json]`. See README.md."""
