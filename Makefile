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

# What another Python or system may break: files, processes, compilers, LiteRT, the command line.
QUICK := tests/test_package.py tests/test_project.py tests/test_cli.py tests/test_atomic_file.py \
	tests/test_download.py tests/data/files tests/data/scenes tests/ops/test_ops.py \
	tests/ops/test_native.py tests/native/test_build.py tests/weights tests/models/test_prediction.py \
	tests/models/test_rillflow.py tests/tflite/test_export.py tests/tflite/test_interpreter.py

.PHONY: install demo test test-quick test-lowest test-all docs lint format wheel clean

install: $(VENV)/.installed

$(VENV)/.installed: setup.cfg pyproject.toml
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit('tfflow needs Python 3.11 or newer; this is ' + sys.version.split()[0] + '. Try: make install PYTHON=python3.11')"
	@echo "Installing into $(VENV): TensorFlow is large, this takes a minute or more."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

demo: install
	@$(BIN)/python train/demo.py --output $(OUT) $(if $(PAIRS),--pairs $(PAIRS))

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-quick: install
	$(BIN)/python -m pytest -n 2 --dist loadfile $(QUICK)

# The same with the lowest versions that setup.cfg allows.
test-lowest:
	$(PYTHON) -m venv build/lowest
	build/lowest/bin/python -m pip install --quiet uv
	build/lowest/bin/uv pip install --quiet --python build/lowest/bin/python \
		--resolution lowest-direct --only-binary :all: --no-binary tfflow \
		--editable ".[video,hub,import,test]"
	build/lowest/bin/python -m pytest -n 2 --dist loadfile $(QUICK)

test-all: install lint
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow or not slow"

# A warning is an error: a link that leads nowhere, a name that is not in the reference.
docs: install
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet \
		-d build/doctrees docs build/site

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Needs no TensorFlow. The wheel is built of the source distribution, which shows that it is whole.
wheel:
	$(PYTHON) -m venv build/packaging
	build/packaging/bin/python -m pip install --quiet build twine
	rm -rf dist
	build/packaging/bin/python -m build .
	build/packaging/bin/twine check --strict dist/*

clean:
	rm -rf $(VENV) build dist *.egg-info $(OUT)
