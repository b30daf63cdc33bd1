## length-poll: nfds counts more than was given
## kernel: reads what lies there (fs/select.c: do_sys_poll())
A: pipe([r, w])                                    # 0
A: write(w, "\x00\x00\x00\x00\x01\x00\x00\x00" * 10)   # 80
A: poll([{r, POLLIN}], 2, 0)                       # _
