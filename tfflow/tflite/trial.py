"""A trial run of an exported file, in a process of its own: a file may kill the one that loads it.

    python -m tfflow.tflite.trial FILE

runs all signatures of the file on noise and prints what is wrong with the results.
"""

import sys

import numpy as np

from tfflow.tflite.another_process import cause_of_failure, run_module

# Times the image's diagonal: no trained network gives flow this long.
LONGEST = 100.0


def try_out(path):
    """Loads and runs a file in another process.

    Raises:
        ValueError: If it can't be loaded or run, or its outputs are not finite or not a flow.
    """
    trial = run_module(__name__, path)
    if trial.returncode:
        raise ValueError(
            f"The exported file can't be loaded or run: {cause_of_failure(trial)}. Nothing was "
            "written."
        )
    if problem := trial.stdout.strip():
        raise ValueError(
            f"The exported file runs, but {problem}. Nothing was written. Look at the model's own "
            "flow first: was it trained, and did the training diverge?"
        )


def check_finite(model):
    """Raises ValueError if a weight is NaN or infinite; the message names it."""
    bad = [w.path for w in model.weights if not np.isfinite(np.asarray(w)).all()]
    if bad:
        raise ValueError(
            f"{model.name} can't be exported: {len(bad)} of its {len(model.weights)} weights hold "
            f"NaN or infinite values, {bad[0]} for one. Its training diverged: take an earlier "
            "checkpoint."
        )


def problem_of(path):
    """What is wrong with a file's outputs on noise, in words; None if nothing is."""
    from tfflow.tflite.interpreter import open_interpreter

    interpreter = open_interpreter(path, 1)
    generator = np.random.default_rng(0)
    for name in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(name)
        feed, longest = {}, np.inf
        for key, details in runner.get_input_details().items():
            noise = generator.random(details["shape"], np.float32)
            if np.issubdtype(details["dtype"], np.integer):
                limits = np.iinfo(details["dtype"])
                noise = limits.min + noise * (limits.max - limits.min)
            feed[key] = noise.astype(details["dtype"])
            if key.startswith("image"):
                longest = LONGEST * float(np.hypot(*details["shape"][1:3]))
        for key, values in runner(**feed).items():
            if not np.isfinite(values).all():
                return f"its output {key} is not finite"
            if key == "flow" and np.abs(values).max() > longest:
                return f"its flow is up to {np.abs(values).max():.3g} px long"
    return None


if __name__ == "__main__":
    print(problem_of(sys.argv[1]) or "")
