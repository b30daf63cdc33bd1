"""Write docs/coverage-values.md: how much of what is observed is predicted, as ``scripts/perturb-page`` measured it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent / "perturbed.json"
"""What ``ktrace check --perturb --json`` said of all recorded traces, without what it noticed."""

REASONS: Mapping[str, str] = {
    "do_dentry_open(): what files of kinds that are not simulated answer": (
        "what procfs, sysfs and devices tell is not simulated; how much, and why it fails, is held to"
    ),
    "do_dentry_open(): what a call on a file of a kind that is not simulated may answer": (
        "another reason for which such a file may fail"
    ),
    "do_dentry_open(): files of this kind are not simulated": "likewise, of what lies in memory",
    "tcp_disconnect(): write_seq jumps past the largest window": "which windows were offered is not observed",
    "path_openat(): whether two paths of a file system that is not simulated lead to one inode": (
        "which names are links is not known there"
    ),
    "current_time(): whether a step touches a file of a kind that is not simulated": (
        "a driver may set times whenever it is called"
    ),
    "current_time(): the nanosecond in which a step did it": (
        "the clock is looked at before and behind each step; between the two it may tick"
    ),
    "folio_batch_add_and_move(): batches on their way to the LRU lists may hold a page": (
        "they hold up to 16 references, and let go of them when others fill them"
    ),
    "tcp_build_frag(): packets hold a page until they are acknowledged and read": (
        "how many packets its bytes lie in follows the windows"
    ),
    "do_anonymous_page(): the zero page is everybody's": "every process of the guest maps it",
    "pid_task(): processes that are no actors": "whether their group is there is not observed",
    "itimer_get_remtime(): what is left of a timer when it is asked for": "measured in the middle of the step",
    "timerfd_get_remaining(): what is left of a timer when it is asked for": "measured in the middle of the step",
    "tcp_get_info(): times, windows and rates are measured": (
        "round trips, rates and windows follow the clock and the host; what they say of each other is held to"
    ),
    "__net_timestamp(): when the packet came": "taken within the step, finer than the clock that is looked at",
    "sk_get_meminfo(): what is set aside": "what TCP sets aside, sums up from how packets were cut",
    "pipefs_dname(): the number of the inode": "of a descriptor whose inode is not observed",
    "gen_cookie_next(): any number that none has, where the next was not read": "a session that lacks the fact",
    "do_prlimit(): limits that the agent was born with": "a session that lacks the fact",
    "__pollwait(): a reference for each queue of a driver that is not simulated": "how many a driver has is its own",
    "ep_poll_callback(): when a file that is not simulated becomes ready": "its driver says so, when it likes",
    "netlink_autobind(): any negative number where one's own is taken": "random, and held to from then on",
    "sk_incoming_cpu_update(): once a packet came in": "the last packet of a connection may have been its peer's ACK",
    "tcp_select_initial_window(): window_clamp follows the buffers": "what was offered is not observed",
    "tcp_delack_timer(): when the receiver acknowledges": "timers of TCP run when the host lets the guest",
    "tcp_sndbuf_expand(): the buffer grows with the congestion window": "what it grows to follows measured round trips",
    "tcp_rcv_space_adjust(): the buffer grows with what is read": "what it grows to follows measured round trips",
    "generic_fillattr(): numbers, devices, blocks and times of the file system's own": (
        "of an inode that nobody has open, so that it is not observed"
    ),
}
"""Why a rule leaves something open that a change may hide behind."""

_HEAD = """\
# How much of what is observed is predicted

One value of a recorded step is changed at a time (a member that the step changed, a result, an out value, the rarest
kinds of values first), and the check is asked whether it notices, at that step or at a later one, the rest being as it
was recorded. What it takes for granted shows there. This page is written by `scripts/perturb-page`; a test holds it
against what that measured, another changes a sample of the recorded traces anew.

`ktrace check --perturb --changes {changes} --seed {seed} traces/recorded/*.jsonl.gz`, Linux 6.1, {traces} traces:

**{noticed:,} of {changed:,} changes were noticed, {share:.2f} %**, of {kinds} kinds.
"""

_TABLE = """\

{missed} were not. Each is counted above, and admitted by a rule of the model, which has its reason:

| not noticed | what | rule | why |
|---|---|---|---|
"""


def values_page(found: Mapping[str, Any]) -> str:
    """Return the page.

    :param found: what was measured, as :func:`measured` has it
    """
    head = _HEAD.format(**found, share=100 * found["noticed"] / found["changed"])
    rows = sorted(
        ((count, kind, rule) for kind, rules in found["unnoticed"].items() for rule, count in rules.items()),
        key=lambda row: (-row[0], row[1], row[2]),
    )
    if not rows:
        return head
    by_rule: dict[str, Counter[str]] = {}
    for count, kind, rule in rows:
        by_rule.setdefault(rule, Counter())[kind] += count
    lines = [
        f"| {sum(kinds.values())} | {', '.join(f'`{kind}`' for kind in sorted(kinds))} | {rule} | {reason(rule)} |"
        for rule, kinds in sorted(by_rule.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    ]
    return head + _TABLE.format(missed=sum(row[0] for row in rows)) + "\n".join(lines) + "\n"


def reason(rule: str) -> str:
    """Return why *rule* leaves something open; that of the first where several did together.

    :raises KeyError: nobody said
    """
    return REASONS[
        rule if rule in REASONS else next((each for each in REASONS if rule.startswith(f"{each} and ")), rule)
    ]


def measured(said: Mapping[str, Any], traces: int, changes: int) -> dict[str, Any]:
    """Return what the page needs of what ``ktrace check --perturb --json`` said."""
    kinds = said["kinds"]
    return {
        "traces": traces,
        "changes": changes,
        "seed": said["seed"],
        "changed": said["changed"],
        "noticed": said["noticed"],
        "kinds": len(kinds),
        "unnoticed": {name: kind["rules"] for name, kind in kinds.items() if kind["rules"]},
        "failures": said["failures"],
    }


def read_measured() -> dict[str, Any]:
    """Return what was measured last."""
    found: dict[str, Any] = json.loads(MEASURED.read_text("utf-8"))
    return found
