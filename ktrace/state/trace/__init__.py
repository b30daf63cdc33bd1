"""What the kernel's tracers recorded (``kernel/trace/*.c``)."""
