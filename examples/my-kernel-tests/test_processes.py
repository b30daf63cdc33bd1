"""What a fork shares, and what it copies."""

from ktrace.constants import CLONE_FILES, SEEK_SET


def test_a_fork_shares_files_but_not_descriptors(lab):
    a = lab.spawn()
    fd = a.memfd_create("shared", 0)
    b = a.fork()
    assert lab.process(a).files != lab.process(b).files
    a.write(fd, b"0123456789")
    assert lab.file(b, fd).f_pos == 10 and lab.file(b, fd).f_count == 2
    b.lseek(fd, 3, SEEK_SET)
    assert lab.file(a, fd).f_pos == 3
    b.close(fd)
    assert lab.file(a, fd).f_count == 1


def test_with_clone_files_one_table_serves_both(lab):
    a = lab.spawn()
    b = a.fork(CLONE_FILES)
    r, w = b.pipe2(0)
    assert lab.process(a).files == lab.process(b).files
    assert lab.at(lab.process(a).files).users == 2 and lab.file(a, r) is lab.file(b, r)
    a.close(w)
    assert b.write(w, b"x").errno == "EBADF"
