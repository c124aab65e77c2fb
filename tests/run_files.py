"""Flows of .tflite files in whatever runtime this Python has; needs NumPy besides.

    python run_files.py pairs.npz flows.npz default lightflow_int8.tflite ...

``pairs.npz`` holds image1 and image2, (N, H, W, 3) uint8, of the files' size or larger. Into
``flows.npz`` go the flows (N, h, w, 2) by the files' names, or the error as a text.

The kernels: ``default`` (with XNNPACK where the runtime has it), ``reference`` (the plain ones), or
``compiled`` (LiteRT's CompiledModel).
"""

import pathlib
import sys

import numpy as np

KERNELS = ("default", "reference", "compiled")


def flows_of(path, image1, image2, kernels="default"):
    """The flows (N, h, w, 2) that a file gives for N pairs of uint8 images, cut to its size."""
    run = _compiled_model(path) if kernels == "compiled" else _interpreter(path, kernels)
    return np.concatenate([run(*pair) for pair in zip(image1, image2)])


def _runtime():
    try:
        from ai_edge_litert import interpreter
    except ImportError:
        from tflite_runtime import interpreter
    return interpreter


def _interpreter(path, kernels):
    runtime = _runtime()
    kinds = runtime.OpResolverType
    kind = kinds.BUILTIN_REF if kernels == "reference" else kinds.AUTO
    interpreter = runtime.Interpreter(
        model_path=str(path), num_threads=1, experimental_op_resolver_type=kind
    )
    interpreter.allocate_tensors()
    inputs = sorted(interpreter.get_input_details(), key=lambda details: details["name"])
    # Some give their confidence too, of one channel.
    (output,) = (each for each in interpreter.get_output_details() if each["shape"][-1] == 2)

    def run(image1, image2):
        for details, image in zip(inputs, (image1, image2)):
            values = as_input(image, details["shape"], details["dtype"])
            interpreter.set_tensor(details["index"], values)
        interpreter.invoke()
        return interpreter.get_tensor(output["index"])

    return run


def _compiled_model(path):
    from ai_edge_litert.compiled_model import CompiledModel

    model = CompiledModel.from_file(str(path))
    inputs = model.get_input_tensor_details("flow")
    shape = model.get_output_tensor_details("flow")["flow"]["shape"]

    def run(image1, image2):
        written = {}
        for name, image in (("image1", image1), ("image2", image2)):
            values = as_input(image, inputs[name]["shape"], np.dtype(inputs[name]["dtype"]))
            written[name] = model.create_input_buffer_by_name("flow", name)
            written[name].write(values)
        read = model.create_output_buffer_by_name("flow", "flow")
        model.run_by_name("flow", written, {"flow": read})
        return read.read(int(np.prod(shape)), np.float32).reshape(shape)

    return run


def as_input(image, shape, dtype):
    """A uint8 image as a file takes it: cut to its size, float32 in [0, 1] or uint8."""
    image = image[None, : shape[1], : shape[2]]
    return image if dtype == np.uint8 else image.astype(np.float32) / np.float32(255)


def main(pairs, flows, kernels, *paths):
    pairs = np.load(pairs)
    found = {}
    for path in map(pathlib.Path, paths):
        try:
            found[path.name] = flows_of(path, pairs["image1"], pairs["image2"], kernels)
        except (ImportError, RuntimeError, ValueError) as error:
            found[path.name] = np.array(f"{type(error).__name__}: {error}")
    np.savez(flows, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
