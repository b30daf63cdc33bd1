# make demo    set everything up, build the lab image, run every workload, write report.html
# make test    the same set-up, then every test but the faults and the walk
# make faults make thousands of faults of every kind, and write what came of them into docs/reliability.md (20 minutes)
# make walk    every call, flag and option, on every kind of file and socket, against model and kernel: half an hour
# make check   what is checked without running anything: format, lint, types
# make image   set-up and the lab image only
# make kernels set-up and the lab images of every kernel: Linux 6.1, 6.12 and 7.3
# make test-kernels  the lab images of every kernel, every workload on each of them (and on Debian's own kernels, if the store
#              has them), and the traces recorded on them: an hour the first time, and what is done is not done again
# make clean   remove what these made here (not the store of images: rm -r ~/.cache/ktrace does that)

VENV  := .venv
IMAGE := lab-6.1
KERNELS := lab-6.1 lab-6.12 lab-7.3
TESTS := tests

.PHONY: demo test walk check setup setup-tests image kernels test-kernels faults clean
.DEFAULT_GOAL := demo
# Both set-ups write into the same environment.
.NOTPARALLEL:

setup:
	@VENV=$(VENV) scripts/setup

setup-tests:
	@VENV=$(VENV) scripts/setup --tests

image: setup
	@$(VENV)/bin/ktrace image build $(IMAGE)

kernels: setup
	@for name in $(KERNELS); do $(VENV)/bin/ktrace image build $$name || exit; done

test-kernels: setup-tests kernels
	@scripts/test-kernels
	$(VENV)/bin/python -m pytest tests/unit/verify/test_recorded.py tests/unit/inspect/test_changes.py tests/guest/image/test_kernels.py tests/guest/verify/test_other_kernels.py

demo: image
	$(VENV)/bin/ktrace run --all
	$(VENV)/bin/ktrace run ipc-tour -q --report report.html
	@echo "open report.html in a browser: arrow keys go from step to step, ? shows the other keys"

# Two processes; those of a file stay together, for they share guests.
test: setup-tests image
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile $(TESTS)

faults: setup-tests image
	$(VENV)/bin/python -m pytest tests/faults --write-table

walk: setup-tests image
	$(VENV)/bin/python -m tests.walk

check: setup
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

clean:
	rm -rf $(VENV) .kernels report.html ktrace.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find ktrace tests -name __pycache__ -prune -exec rm -rf {} +
