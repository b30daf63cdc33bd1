"""What must hold of structures whatever was called: checks that need no model."""
