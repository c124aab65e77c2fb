"""Reading pairs in TensorFlow's graph, or by Python within it: python benchmarks/decoding.py

Reads synthetic scenes in the formats and sizes of three data sets, from a temporary folder; the
system caches the files in memory. Python is the graph's fallback: `tf.numpy_function` around
`FlowDataset.__getitem__`, as many calls at a time as there are threads. It takes five minutes.
"""

import pathlib
import statistics
import tempfile
import time

from tfflow.startup import start_backend_quietly

start_backend_quietly()
import tensorflow as tf
from tables import options, write_csv
from training_throughput import sequence, write_flows, write_images

from tfflow.data import open_dataset
from tfflow.data.pipeline.decoding import reader
from tfflow.tflite.benchmarking import conditions

# name: image and flow files, size
FORMATS = {
    "FlyingChairs": (".ppm", ".flo", (384, 512)),
    "Sintel": (".png", ".flo", (436, 1024)),
    "KITTI": (".png", ".png", (375, 1242)),
}
PAIRS, ROUNDS = 48, 5
THREADS = (1, 2)


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (image, flow, size) in FORMATS.items():
            dataset = write(pathlib.Path(folder) / name, image, flow, size)
            for threads in THREADS:
                rows += measure(name, dataset, threads)
                print(rows[-2], rows[-1], sep="\n", flush=True)
    write_csv(pathlib.Path(__file__).with_suffix(".csv"), rows)


def write(folder, image, flow, size):
    images, flows = sequence(*size, 5)
    write_images(folder, "{:02d}_img1" + image, images[:-1])
    write_images(folder, "{:02d}_img2" + image, images[1:])
    write_flows(folder, "{:02d}_flow" + flow, flows)
    return open_dataset(f"folder:{folder}")


def measure(name, dataset, threads):
    """A row for each of the two ways, medians over alternating rounds."""
    ways = {"graph": reader(dataset), "python": reader(_Sequence(dataset))}
    indices = tf.data.Dataset.range(len(dataset)).repeat().take(PAIRS)
    found = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, read in ways.items():
            pairs = indices.map(read, num_parallel_calls=threads)
            start, cpu = time.perf_counter(), time.process_time()
            for _ in pairs:
                pass
            seconds = time.perf_counter() - start
            cpu = time.process_time() - cpu
            found[way].append((PAIRS / seconds, 1000 * cpu / PAIRS))
    for way, turns in found.items():
        rate, cpu = map(statistics.median, zip(*turns))
        yield {
            "data": name,
            "way": way,
            "threads": threads,
            "pairs_per_s": round(rate, 1),
            "cpu_ms_per_pair": round(cpu, 2),
            **conditions(),
        }


class _Sequence:
    """A data set without files that a graph could read."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __getitem__(self, index):
        return self.dataset[index]


if __name__ == "__main__":
    options(__doc__)
    main()
