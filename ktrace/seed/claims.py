"""What the seed claims, in its order, each claim with the measurement that judges it."""

from __future__ import annotations

from ktrace.seed import claims_pipe, claims_sem_msg, claims_socket, claims_sysv
from ktrace.seed.judgement import Claim

CLAIMS: tuple[Claim, ...] = (
    *claims_pipe.CLAIMS,
    *claims_sysv.CLAIMS,
    *claims_sem_msg.CLAIMS,
    *claims_socket.CLAIMS,
)
