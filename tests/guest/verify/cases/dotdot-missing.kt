## dotdot-missing: two dots behind a name that is not there
## kernel: ENOENT (fs/namei.c: link_path_walk(), walk_component())
A: mkfifo("/tmp/none/../f", 0600)                  # ENOENT
