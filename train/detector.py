"""Trains the detector: python train/detector.py does what tfflow train-detector does."""

import sys

from tfflow.cli import main

if __name__ == "__main__":
    sys.exit(main(["train-detector", *sys.argv[1:]]))
