"""The library: labs, actors, results. ``ktrace/__init__.py`` says what is public, docs/python.md how to use it."""
