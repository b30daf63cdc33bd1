"""The seed: a learner's notes on Linux IPC, audited statement by statement on the live kernel."""
