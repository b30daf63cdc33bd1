"""Constants of the kernel's own headers, each once, by the header that defines it: those that programs do not see.

What they see is in :mod:`ktrace.uapi`. ``linux``, ``net`` and ``asm`` are ``include/linux``, ``include/net`` and
``arch/x86/include/asm``. What a ``.c`` file defines for itself stands where its functions are modelled.
"""
