"""``ktrace completion``: what a shell loads to complete our words, and the manual page."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from ktrace.cli.man_page import man_page
from ktrace.cli.mistakes import Choice
from ktrace.errors import HostError

VARIABLE = "_KTRACE_COMPLETE"
MAN = "man"
_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("what", type=Choice([*_SHELLS, MAN]), metavar="bash|zsh|fish|man")
@click.option("--install", is_flag=True, help="Write it, and the manual page, where they are looked for.")
@click.pass_context
def completion(context: click.Context, what: str, install: bool) -> None:
    """Print what bash, zsh or fish load to complete commands, workloads, images and sessions; or the manual page.

    With --install it lands in your home, together with the manual page: a new shell has it.
    """
    program = context.find_root()
    if not install:
        click.echo(_text(program, what), nl=False)
        return
    for part in dict.fromkeys((what, MAN)):
        path = _place(part)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_text(program, part))
        except OSError as error:
            raise HostError(f"cannot write {str(path)!r}: {error.strerror}") from error
        click.echo(path)
    if what == "zsh":
        click.echo(f"put this into ~/.zshrc, before compinit: fpath+=({_place('zsh').parent})", err=True)


def _text(program: click.Context, what: str) -> str:
    if what == MAN:
        return man_page(program)
    shell = get_completion_class(what)
    assert shell is not None
    # What makes sure that the shell is new enough only asks one that is installed, and prints; this is its text.
    made = shell(program.command, {}, "ktrace", VARIABLE)
    return f"{made.source_template % made.source_vars()}\n"


def _place(what: str) -> Path:
    """Return where *what* is looked for below a person's home."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return {
        "bash": data / "bash-completion" / "completions" / "ktrace",
        "zsh": data / "zsh" / "site-functions" / "_ktrace",
        "fish": config / "fish" / "completions" / "ktrace.fish",
        MAN: data / "man" / "man1" / "ktrace.1",
    }[what]
