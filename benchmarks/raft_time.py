"""ms of torchvision's RAFT small for a pair, 12 iterations: python raft_time.py H W THREADS N

With random weights, since its own have to be downloaded: a figure of time alone. In a process of
its own, since PyTorch and TensorFlow don't always live in one.
"""

import statistics
import sys
import time

import torch
from torchvision.models.optical_flow import raft_small

height, width, threads, rounds = map(int, sys.argv[1:])
torch.set_num_threads(threads)
network = raft_small(weights=None).eval()
images = torch.rand(2, 1, 3, height, width) * 2 - 1
times = []
with torch.no_grad():
    for _ in range(rounds):
        start = time.perf_counter()
        network(*images)
        times.append(1e3 * (time.perf_counter() - start))
print(statistics.median(times))
