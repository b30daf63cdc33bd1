"""What every test may rely on, however pytest was started."""

import signal


def pytest_configure() -> None:
    """Undo what ``nohup`` and a shell's ``&`` do: an ignored SIGINT would be inherited by every program under test."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
