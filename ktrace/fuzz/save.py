"""Keep a finding: as a script that ``ktrace run`` runs, and as a session of that script."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ktrace.errors import KtraceError
from ktrace.fuzz.campaign import Found, Plan
from ktrace.fuzz.finding import CONTRADICTION
from ktrace.fuzz.judgement import Judgement
from ktrace.fuzz.script import script_of
from ktrace.trace.session import FILE_NAME, Sink, new_directory, unwritable
from ktrace.verify.guests import Guests
from ktrace.verify.options import SessionOptions
from ktrace.verify.sessions import run_session
from ktrace.workload.format import format_script
from ktrace.workload.library import read


@dataclass(frozen=True)
class SavedFinding:
    """A finding that was kept.

    :param directory: where the script is, and the session of its replay lands
    :param text: of the script
    :param validate: it takes a look at memory against itself to see the finding
    """

    directory: Path
    script: Path
    text: str
    validate: bool = False


def save_finding(plan: Plan, found: Found) -> SavedFinding:
    """Write a script of the actions that show *found* into a session directory of its own; what is unsteady, as it was.

    :raises HostError: it cannot be written
    :raises UsageError: a value has no expression in a script
    """
    finding = found.trial.finding
    assert finding is not None
    unsteady = found.judgement is Judgement.UNSTEADY
    name = f"fuzz-{'-'.join(plan.families)}-{plan.seed}-{found.sequence}"
    directory = new_directory(name)
    title = f"{finding.call} diverges{' now and then' if unsteady else ''}: {min(finding.kinds)}"
    origin = f"found by: ktrace fuzz --family {','.join(plan.families)} --seed {plan.seed} --actors {plan.actors}"
    text = format_script(script_of(found.trial, name, title, f"{origin}\n{finding.text}"))
    script = directory / f"{name}.kt"
    try:
        script.write_text(text)
    except OSError as error:
        raise unwritable(script, error) from error
    if unsteady and found.trial.session is not None:
        # Made again it is not there: what was seen is all there is to look into.
        try:
            shutil.move(found.trial.session / FILE_NAME, directory / FILE_NAME)
        except OSError as error:
            raise unwritable(directory, error) from error
    return SavedFinding(directory, script, text, any(kind.startswith(CONTRADICTION) for kind in finding.kinds))


def replay_finding(guests: Guests, saved: SavedFinding, sink: Sink, command: str) -> str:
    """Run the script of a finding in a fresh guest, and return how that ended: a session's status, or whose fault.

    :param command: the command line that asks for it, which the session notes
    """
    options = SessionOptions(saved.directory, validate=saved.validate, command=command)
    try:
        return run_session(guests, read(saved.script), sink, options).status
    except KtraceError as error:
        return f"{error.blame}: {error.message}"
