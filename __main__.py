"""``python -m voicegraph``."""

import sys


def main() -> int:
    """The command line; imported late, so that an interrupt during start is met, too."""
    try:
        from voicegraph.app.cli.app import main as run
        from voicegraph.app.cli.process_end import end_process

        return end_process(run())
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
