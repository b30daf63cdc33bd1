## pipe-merge: small writes share a page, packets do not
A: pipe2([r, w], 0)                         # 0
A: write(w, "a" * 100)                      # 100
## fits behind the first one: the buffer grows, head stays
A: write(w, "b" * 50)                       # 50
## does not fit into the page: a second buffer
A: write(w, "c" * 4000)                     # 4000
## 4096 + 10 bytes: the odd 10 go into the last page, the rest into a fresh one
A: write(w, "d" * 4106)                     # 4106
A: ioctl(r, FIONREAD)                       # 0 8256
A: read(r, 150)                             # 150 "aaaa"...
A: read(r, 4010)                            # 4010 "cccc"...
A: read(r, 8192)                            # 4096 "dddd"...
## an empty pipe never merges, even where the page would have room
A: write(w, "e")                            # 1
A: read(r, 1)                               # 1 "e"
A: write(w, "f")                            # 1
A: read(r, 10)                              # 1 "f"
## O_DIRECT: each write is a packet, a short read drops the rest of it
A: pipe2([pr, pw], O_DIRECT)                # 0
A: write(pw, "first packet")                # 12
A: write(pw, "second")                      # 6
A: read(pr, 5)                              # 5 "first"
A: read(pr, 100)                            # 6 "second"
