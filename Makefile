# make run             watch what config.yaml says; SOURCE=0, SOURCE=rtsp://... or SOURCE=clip.mp4 instead
# make test            check style and types, run all tests, and count what of monitor they reach
# make soak            thousands of runs with faults, then the demo at full speed for an hour
# PYTHON=python3.12    the interpreter that .venv is made from, 3.11 or newer

PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test soak

# Not echoed: the URL of a camera may hold a password.
run: .venv/runtime
	@$(BIN)/monitor run --config config.yaml $(if $(SOURCE),--source '$(SOURCE)')

test: .venv/development
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --cov --cov-report term:skip-covered

# A failure names its plan; SEEDS=n make soak looks at that one again.
soak: .venv/development
	SEEDS=$(or $(SEEDS),0:3000) $(BIN)/python -m pytest --quiet --numprocesses auto tests/test_faults.py
	$(BIN)/python tests/soak.py

# The two files stand for what was last installed, so that a second run starts at once.
.venv/runtime: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo 'make: $(PYTHON) not found or older than 3.11; expected make PYTHON=python3.11 or newer' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo 'make: $(PYTHON) has no venv module; expected the system package python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[web]'
	@$(BIN)/python -c 'import cv2' 2>/dev/null || \
	  { echo 'make: OpenCV cannot be loaded; expected the system packages libgl1 libglib2.0-0' >&2; exit 1; }
	@touch $@

.venv/development: .venv/runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[mqtt,train,web,dev]'
	@touch $@
