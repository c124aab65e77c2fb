"""ms that torchvision's RAFT small takes for a pair: python raft_time.py H W THREADS ROUNDS

12 iterations with random weights, since its own have to be downloaded: only the time counts. It has
its own process, since PyTorch and TensorFlow do not always work in the same one.
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
