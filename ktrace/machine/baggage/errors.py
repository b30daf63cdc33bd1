"""What is wrong with a program that is to be brought; shells end with these codes, too."""

from __future__ import annotations

from ktrace.errors import UsageError


class NoProgram(UsageError):
    """There is no such program."""

    exit_code = 127


class CannotExecute(UsageError):
    """It is no program, or none for the guest."""

    exit_code = 126
