## vmsplice-text: memory of a process is wanted, and a text has none that lasts
## kernel: 5 (fs/splice.c: vmsplice_to_pipe(), iter_to_pipe())
A: pipe([r, w])                                    # 0
A: vmsplice(w, ["hello"])                          # 5
