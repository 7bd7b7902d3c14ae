"""The command line: a thin door over `control`."""


def main() -> None:
    raise SystemExit(2)
