"""Correctness and speed of the CUDA kernels on a GPU: python benchmarks/cuda_ops.py

Needs an NVIDIA GPU that JAX sees, and nvcc; PyTorch is measured too if installed. First all values
and gradients are compared with the reference in float64 on the CPU. Then each kernel is timed
beside the reference compiled by XLA, and beside the least time that the GPU needs: the bytes to
move over its bandwidth, or the operations over its float32 rate.
"""

import argparse
import csv
import os
import pathlib
import statistics
import tempfile
import time

os.environ["KERAS_BACKEND"] = "jax"  # the reference, as XLA compiles it

import numpy as np

RESULT = pathlib.Path(__file__).with_suffix(".csv")
# Bytes/s of memory and float32 operations/s, from the makers' data sheets (SXM versions).
PEAKS = {
    "A100": (2.04e12, 19.5e12),
    "H100": (3.35e12, 67e12),
    "H200": (4.8e12, 67e12),
    "RTX 4090": (1.01e12, 82.6e12),
}
# height, width, channels, max_displacement, displacement_stride
CORRELATIONS = {
    "FlowNetC": (48, 64, 256, 20, 2),
    "LiteFlowNet": (96, 128, 64, 3, 1),
    "PWC-Net, MaskFlowNet": (112, 256, 32, 4, 1),
}
WARPS = {"features": (436, 1024, 32), "image": (436, 1024, 3)}
SETS = 4  # of inputs, used in turn: together they exceed the cache


class CorrelationCase:
    def __init__(self, name, batch, settings):
        height, width, channels, radius, step = settings
        self.name = f"correlation, {name}"
        self.settings = dict(max_displacement=radius, displacement_stride=step)
        self.shapes = [(batch, height, width, channels)] * 2
        self.upstream = (batch, height, width, (2 * (radius // step) + 1) ** 2)
        self.map, self.cost = np.prod(self.shapes[0]), np.prod(self.upstream)
        self.operations = {
            "forward": 2 * self.cost * channels,
            "gradients": 4 * self.cost * channels,
        }

    def bytes(self, size):
        return {
            "forward": size * (2 * self.map + self.cost),
            "gradients": size * (4 * self.map + self.cost),
        }

    def draw(self, rng):
        return [rng.standard_normal(shape) for shape in self.shapes]

    def functions(self):
        from tfflow import ops
        from tfflow.native.cuda import jax_ops

        return {
            "ours": lambda a, b: jax_ops.correlation(a, b, **self.settings),
            "xla": lambda a, b: ops.correlation(a, b, **self.settings),
        }

    def torch(self, a, b):
        """The usual form: a product and a sum for each displacement, NCHW."""
        import torch

        radius, step = self.settings["max_displacement"], self.settings["displacement_stride"]
        height, width = a.shape[2:]
        padded = torch.nn.functional.pad(b, [radius] * 4)
        steps = range(0, 2 * radius + 1, step)
        shifted = (padded[:, :, y : y + height, x : x + width] for y in steps for x in steps)
        return torch.stack([(a * s).sum(1) for s in shifted], 1)


class WarpCase:
    def __init__(self, name, batch, settings, deterministic=False):
        self.name = f"warp, {name}" + (", deterministic" if deterministic else "")
        self.deterministic = deterministic
        self.shapes = [(batch, *settings), (batch, *settings[:2], 2)]
        self.upstream = self.shapes[0]
        self.image, self.flow = (np.prod(shape) for shape in self.shapes)
        self.operations = {"forward": 8 * self.image, "gradients": 26 * self.image}

    def bytes(self, size):
        return {
            "forward": size * (2 * self.image + self.flow // 2) + 4 * self.flow,
            "gradients": size * 3 * self.image + 8 * self.flow,
        }

    def draw(self, rng):
        # Smooth, as flow is: neighbours sample neighbours.
        flow = rng.uniform(-20, 20, self.shapes[1][:1] + (1, 1, 2))
        return [rng.standard_normal(self.shapes[0]), flow + rng.uniform(-1, 1, self.shapes[1])]

    def functions(self):
        from tfflow import ops
        from tfflow.native.cuda import jax_ops

        how = dict(deterministic=self.deterministic)
        return {
            "ours": lambda image, flow: jax_ops.warp(image, flow, mask_threshold=0.9999, **how),
            "xla": lambda image, flow: ops.warp(image, flow, mask_threshold=0.9999),
        }

    def torch(self, image, flow):
        """grid_sample, without a mask, NCHW; the grid is computed from the flow."""
        import torch

        height, width = image.shape[2:]
        x = torch.arange(width, device=flow.device) + flow[:, 0]
        y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
        grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)
        sample = torch.nn.functional.grid_sample
        return sample(image, grid.to(image.dtype), align_corners=True)


def main():
    arguments = parse()
    import jax

    from tfflow.native.cuda import jax_ops

    device = jax.devices()[0]
    if device.platform != "gpu":
        raise SystemExit(f"JAX sees no GPU here, only {device}; install jax[cuda] where one is.")
    with tempfile.TemporaryDirectory() as folder:
        jax_ops.register(jax_ops.build(pathlib.Path(folder) / "kernels.so"))
        rows = measure(arguments, device)
    with RESULT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    print(f"Written to {RESULT}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8, help="pairs at a time (default: 8)")
    parser.add_argument("--rounds", type=int, default=20, help="timed rounds (default: 20)")
    parser.add_argument(
        "--dtypes", nargs="+", default=["float32", "bfloat16"], metavar="DTYPE", help="of the maps"
    )
    parser.add_argument("--bandwidth", type=float, help="the GPU's bytes/s, if not known here")
    parser.add_argument("--flops", type=float, help="its float32 operations/s")
    return parser.parse_args()


def measure(arguments, device):
    cases = [CorrelationCase(name, arguments.batch, x) for name, x in CORRELATIONS.items()]
    cases += [WarpCase(name, arguments.batch, x) for name, x in WARPS.items()]
    cases += [WarpCase("features", arguments.batch, WARPS["features"], deterministic=True)]
    known = next((x for name, x in PEAKS.items() if name in device.device_kind), (None, None))
    bandwidth, flops = arguments.bandwidth or known[0], arguments.flops or known[1]
    heads = ("ours", "least", "of it", "xla", "torch", "error")
    print(f"{'ms per call, batch ' + str(arguments.batch):58}", *(f"{x:>9}" for x in heads))
    rows = []
    for case in cases:
        for dtype in arguments.dtypes:
            errors = compare(case, dtype)
            times = time_all(case, dtype, arguments.rounds)
            size = np.dtype("float16" if "16" in dtype else dtype).itemsize
            for what in ("forward", "gradients"):
                row = {"op": case.name, "dtype": dtype, "what": what, "batch": arguments.batch}
                row |= {f"{name}_ms": x[what] for name, x in times.items()}
                row |= {"bytes": int(case.bytes(size)[what]), "bandwidth": bandwidth}
                row |= {"operations": int(case.operations[what]), "flops": flops}
                row["least_ms"] = None
                if bandwidth and flops:
                    least = max(row["bytes"] / bandwidth, row["operations"] / flops)
                    row["least_ms"] = 1000 * least
                row["error"] = errors[what]
                rows.append(row | conditions(device))
                show(row)
    return rows


def show(row):
    least = row["least_ms"]
    share = f"{least / row['ours_ms']:.0%}" if least else None
    shown = row["ours_ms"], least, share, row["xla_ms"], row["torch_ms"], f"{row['error']:.1e}"
    texts = (f"{x:.4f}" if isinstance(x, float) else str(x or "-") for x in shown)
    label = f"{row['op']}, {row['dtype']}, {row['what']}"
    print(f"{label:58}", *(f"{text:>9}" for text in texts), flush=True)


def conditions(device):
    import jax

    from tfflow.tflite.benchmarking import conditions

    return {"gpu": device.device_kind, "jax": jax.__version__, "sets": SETS, **conditions()}


def passes(function):
    """{"forward": f(inputs, upstream), "gradients": f(inputs, upstream)}."""
    import jax

    def gradients(inputs, upstream):
        return jax.vjp(function, *inputs)[1](upstream)

    return {"forward": lambda inputs, upstream: function(*inputs), "gradients": gradients}


def compare(case, dtype):
    """The largest error, relative to the largest value, against the reference in float64."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    inputs, upstream = case.draw(rng), rng.standard_normal(case.upstream)
    rounded = [jnp.asarray(x, t) for x, t in zip(inputs, dtypes_of(case, dtype))]
    of_upstream = jnp.asarray(upstream, dtype)
    errors = {}
    for what in ("forward", "gradients"):
        found = jax.jit(passes(case.functions()["ours"])[what])(rounded, of_upstream)
        with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
            exact = [jnp.asarray(np.asarray(x, np.float64)) for x in (*rounded, of_upstream)]
            expected = jax.jit(passes(case.functions()["xla"])[what])(exact[:-1], exact[-1])
        pairs = zip(jax.tree.leaves(found), jax.tree.leaves(expected))
        arrays = [[np.asarray(x, np.float64) for x in pair] for pair in pairs]
        errors[what] = max(abs(a - b).max() / abs(b).max() for a, b in arrays)
    return errors


def dtypes_of(case, dtype):
    return [dtype, "float32" if isinstance(case, WarpCase) else dtype]


def time_all(case, dtype, rounds):
    """{implementation: {"forward": ms, "gradients": ms}}, medians."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(1)
    sets = [
        (
            [jnp.asarray(x, t) for x, t in zip(case.draw(rng), dtypes_of(case, dtype))],
            jnp.asarray(rng.standard_normal(case.upstream), dtype),
        )
        for _ in range(SETS)
    ]
    times = {}
    for name, function in case.functions().items():
        times[name] = {}
        for what, one in passes(function).items():
            # All sets in one program, so that starting it counts little.
            program = jax.jit(lambda sets, one=one: [one(*x) for x in sets])
            run = lambda program=program: jax.block_until_ready(program(sets))  # noqa: E731
            times[name][what] = median_ms(run, rounds) / SETS
    times["torch"] = time_torch(case, sets, dtype, rounds)
    return times


def median_ms(run, rounds):
    run()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)


def time_torch(case, sets, dtype, rounds):
    """The same with PyTorch; None if it is missing or sees no GPU."""
    try:
        import torch
    except ImportError:
        torch = None
    if torch is None or not torch.cuda.is_available():
        return {"forward": None, "gradients": None}
    kind = getattr(torch, dtype)

    def tensor(array, kind):
        array = np.moveaxis(np.asarray(array, np.float32), -1, 1)
        return torch.tensor(np.ascontiguousarray(array), device="cuda").to(kind)

    kinds = [getattr(torch, t) for t in dtypes_of(case, dtype)]
    inputs = [[tensor(x, t).requires_grad_() for x, t in zip(x, kinds)] for x, _ in sets]
    upstream = [tensor(g, kind) for _, g in sets]

    def forward():
        with torch.no_grad():
            for x in inputs:
                case.torch(*x)
        torch.cuda.synchronize()

    outputs = [case.torch(*x) for x in inputs]

    def gradients():
        for output, x, g in zip(outputs, inputs, upstream):
            torch.autograd.grad(output, x, g, retain_graph=True)
        torch.cuda.synchronize()

    return {f.__name__: median_ms(f, rounds) / SETS for f in (forward, gradients)}


if __name__ == "__main__":
    main()
