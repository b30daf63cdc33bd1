"""How credentials change (``security/commoncap.c``, ``kernel/sys.c``)."""

from __future__ import annotations

from dataclasses import replace

from ktrace.model.process.user_namespace import user_ns
from ktrace.model.task import CAPABILITIES_OF_ROOT, Cred


def cred_after_exec(cred: Cred) -> Cred:
    """Return the credentials of a program without file capabilities (``cap_bprm_creds_from_file()``)."""
    root = user_ns(cred).make_kuid(0)
    permitted = CAPABILITIES_OF_ROOT if root in (cred.uid, cred.euid) else frozenset()
    effective = permitted if cred.euid == root else frozenset()
    return replace(cred, suid=cred.euid, sgid=cred.egid, capabilities=effective, permitted=permitted, keep_caps=False)


def replace_uids(cred: Cred, ruid: int, euid: int, suid: int) -> Cred:
    """Return *cred* with other user ids and what is left of its capabilities (``cap_emulate_setxuid()``)."""
    effective, permitted = cred.capabilities, cred.permitted
    root = user_ns(cred).make_kuid(0)
    if root in (cred.uid, cred.euid, cred.suid) and root not in (ruid, euid, suid) and not cred.keep_caps:
        effective = permitted = frozenset()
    if cred.euid == root and euid != root:
        effective = frozenset()
    if cred.euid != root and euid == root:
        effective = permitted
    return replace(cred, uid=ruid, euid=euid, suid=suid, capabilities=effective, permitted=permitted)


def replace_gids(cred: Cred, rgid: int, egid: int, sgid: int) -> Cred:
    """Return *cred* with other group ids (``kernel/sys.c: __sys_setresgid()``)."""
    return replace(cred, gid=rgid, egid=egid, sgid=sgid)
