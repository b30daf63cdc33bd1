## fork-thread: an actor with threads, which the agent cannot have
## kernel: 0 (kernel/fork.c: copy_process()). Likewise CLONE_PARENT.
A: fork(CLONE_VM|CLONE_SIGHAND|CLONE_THREAD) -> B
