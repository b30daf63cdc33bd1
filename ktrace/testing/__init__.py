"""The pytest plugin: fixtures, markers, scripts as tests (docs/pytest.md)."""
