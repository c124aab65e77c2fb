"""Trains a network by a recipe: python train/train.py does what tfflow train does."""

import sys

from tfflow.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
