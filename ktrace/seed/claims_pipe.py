"""What the seed claims of pipes."""

from __future__ import annotations

from ktrace.seed.judgement import Claim, Judgement, verdict
from ktrace.seed.record import Record


def _sixteen_buffers(record: Record) -> Judgement:
    fresh, grown = record.only(2, "pipe"), record.only(9, "pipe")
    size, refused = record.result(3).value, record.result(6).errno
    evidence = (
        f"new pipes have ring_size {fresh.ring_size}, F_GETPIPE_SZ says {size}, after 16 pages write() says {refused}; "
        f"but F_SETPIPE_SZ made it {grown.ring_size} (fs.pipe-max-size): 16 is the default, not the most"
    )
    return ("aged" if grown.ring_size > 16 else "right") if fresh.ring_size == 16 else "wrong", evidence


def _one_inode_two_files(record: Record) -> Judgement:
    world = record.world(2)
    pipe = record.only(2, "pipe")
    files = [file for file in world.of_kind("file").values() if file.f_op in ("pipefifo_fops", "pipeanon_fops")]
    inodes = [inode for inode in world.of_kind("inode").values() if inode.i_sb == "pipefs"]
    return verdict(
        len(files) == 2 and pipe.files == 2 and len(inodes) == 1,
        f"pipe2() made {len(inodes)} inode of pipefs and {len(files)} files, one each way; files is {pipe.files}",
    )


def _own_filesystem(record: Record) -> Judgement:
    type_ = record.prog["pipe_fs_type"]
    name = type_.name.string_().decode()
    symbol = record.lab.kernel.symbol
    start, end = symbol(type_.init_fs_context.value_()), symbol(type_.kill_sb.value_())
    good = (name, start, end) == ("pipefs", "pipefs_init_fs_context", "kill_anon_super")
    return verdict(good, f"pipe_fs_type is {name!r} with {start} and {end}")


def _registered(record: Record) -> Judgement:
    names: list[str] = []
    entry = record.prog["file_systems"]
    while entry and len(names) < 1000:
        names.append(entry.name.string_().decode())
        entry = entry.next
    mounted = record.prog["pipe_mnt"].mnt_sb.s_type.name.string_().decode()
    return verdict(
        "pipefs" in names and mounted == "pipefs",
        f"file_systems holds pipefs among {len(names)} types, pipe_mnt is a mount of {mounted}",
    )


def _flags(record: Record) -> Judgement:
    got = record.result(20).errno
    return verdict(got == "EINVAL", f"pipe2() with O_APPEND says {got}")


def _child_reads(record: Record) -> Judgement:
    up, down = record.result(11), record.result(14)
    return verdict(
        (up.value, down.value) == (14, 12),
        f"the parent read {up.out.get('buf')!r} that the child wrote, the child {down.out.get('buf')!r}",
    )


def _named_pipes(record: Record) -> Judgement:
    files = {file.f_op for file in record.world(16).of_kind("file").values()}
    return verdict(
        len(files) > 1,
        f"files of both kinds have the same f_op ({', '.join(sorted(files))}): read() and write() lead to pipe_read() "
        "and pipe_write() for both. A name is the whole difference; dup2() is the shell's habit, no part of a pipe",
    )


CLAIMS = (
    Claim("pipes", "every pipe is one inode and two file objects, one to read and one to write", _one_inode_two_files),
    Claim("pipes", "a pipe's buffer is an array of 16 pages, at most", _sixteen_buffers),
    Claim("pipes", "a pipe is a special file system, pipefs", _own_filesystem),
    Claim("pipes", "init_pipe_fs() registers pipefs and mounts it", _registered),
    Claim("pipes", "pipe2() takes O_CLOEXEC, O_NONBLOCK, O_DIRECT and O_NOTIFICATION_PIPE, and nothing else", _flags),
    Claim("pipes", "a child reads and writes the pipes of its parent", _child_reads),
    Claim("pipes", "named pipes differ from others in that pipe_read() and pipe_write() must be called", _named_pipes),
)
