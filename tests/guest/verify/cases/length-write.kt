## length-write: more is written than was given
## kernel: 10, with what lies behind the text (fs/pipe.c: pipe_write())
A: pipe([r, w])                                    # 0
A: write(w, "abc", count=10)                       # 10
