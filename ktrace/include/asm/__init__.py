"""Constants of ``arch/x86/include/asm/``."""
