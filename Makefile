# make demo    the whole way once: train, export to .tflite, run, look
# make test    the tests
# make docs    the documentation as a site, in build/site

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo
# A folder of your own frames or pairs for the demo's pictures: make demo PAIRS=folder
PAIRS ?=

# TensorFlow's start-up messages are no news.
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: install demo test test-all docs lint format wheel clean

install: $(VENV)/.installed

$(VENV)/.installed: setup.cfg pyproject.toml
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 10) or sys.exit('tfflow needs Python 3.10 or newer; this is ' + sys.version.split()[0] + '. Try: make install PYTHON=python3.11')"
	@echo "Installing into $(VENV): TensorFlow is large, this takes a minute or more."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

demo: install
	@$(BIN)/python train/demo.py --output $(OUT) $(if $(PAIRS),--pairs $(PAIRS))

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-all: install lint
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow or not slow"

# A warning is an error: a link that leads nowhere, a name that is not in the reference.
docs: install
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet \
		-d build/doctrees docs build/site

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: install
	rm -rf dist
	$(BIN)/python -m build --wheel --sdist .

clean:
	rm -rf $(VENV) build dist *.egg-info $(OUT)
