"""Lines of terminals (``include/uapi/asm-generic/termios.h``, ``include/uapi/asm-generic/termbits.h``)."""

from __future__ import annotations

TIOCM_LE = 0x001
TIOCM_DTR = 0x002
TIOCM_RTS = 0x004
TIOCM_ST = 0x008
TIOCM_SR = 0x010
TIOCM_CTS = 0x020
TIOCM_CAR = 0x040
TIOCM_CD = 0x040
TIOCM_RNG = 0x080
TIOCM_RI = 0x080
TIOCM_DSR = 0x100
TIOCM_OUT1 = 0x2000
TIOCM_OUT2 = 0x4000
TIOCM_LOOP = 0x8000

TCOOFF = 0
TCOON = 1
TCIOFF = 2
TCION = 3
TCIFLUSH = 0
TCOFLUSH = 1
TCIOFLUSH = 2
TCSANOW = 0
TCSADRAIN = 1
TCSAFLUSH = 2
